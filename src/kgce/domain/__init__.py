"""The words everything else speaks: units, carriers, points, batches, ports, errors. No I/O."""
