"""The console's first page: live power, today, ranking, the gateway's books. NiceGUI on the API's app."""
