"""How the console looks: one sheet, light and dark, wide and narrow. No font or file from elsewhere."""

from typing import Final

ACCENT: Final = "#0f8a6d"
WARN: Final = "#c2611f"
MUTED: Final = "#808a93"  # reads on both grounds: charts cannot follow the dark mode by themselves

SHEET: Final = """
:root { --ground:#f4f6f7; --card:#fff; --ink:#1b2429; --soft:#5d6a73; --line:#e1e6e9; --accent:#0f8a6d;
  --warn:#c2611f; }
.body--dark { --ground:#12171a; --card:#1b2226; --ink:#e7edf0; --soft:#9aa8b1; --line:#2d373d; --accent:#35c49f;
  --warn:#f0995a; }
body { background:var(--ground)!important; color:var(--ink); font-family:system-ui,-apple-system,"Segoe UI",Roboto,
  "PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC","WenQuanYi Micro Hei",sans-serif; }
.nicegui-content { padding:0; align-items:stretch; }
.page { max-width:1320px; width:100%; margin:0 auto; padding:14px 20px 36px; display:grid; gap:14px;
  grid-template-columns:minmax(0,2fr) minmax(0,1fr); }
.top { grid-column:1/-1; display:flex; align-items:baseline; gap:12px; flex-wrap:wrap; }
.top .brand { font-size:26px; font-weight:700; letter-spacing:-.02em; color:var(--accent); }
.top .grow { flex:1; }
.top a { color:var(--soft); text-decoration:none; padding:6px 4px; }
.panel { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:16px 18px; min-width:0; }
.wide { grid-column:1/-1; }
.panel h2 { font-size:15px; line-height:1.3; font-weight:600; margin:0 0 10px; letter-spacing:0; }
.soft { color:var(--soft); font-size:13px; }
.warn { color:var(--warn); }
.ok { color:var(--accent); }
.big { font-size:52px; line-height:1.05; font-weight:700; letter-spacing:-.03em; font-variant-numeric:tabular-nums; }
.big .unit { font-size:20px; font-weight:500; color:var(--soft); letter-spacing:0; margin-left:6px; }
.live-head { display:grid; grid-template-columns:minmax(220px,1fr) minmax(0,2fr); gap:16px; align-items:center; }
.spark { height:112px; width:100%; }
.cards { display:grid; grid-template-columns:repeat(auto-fill,minmax(168px,1fr)); gap:10px; margin-top:14px; }
.building { border:1px solid var(--line); border-radius:9px; padding:9px 11px; min-width:0; }
.building .name { font-size:13px; white-space:nowrap; overflow:hidden; text-overflow:ellipsis; }
.building .kw { font-size:21px; font-weight:600; font-variant-numeric:tabular-nums; }
.building .kw .unit { font-size:12px; font-weight:400; color:var(--soft); margin-left:3px; }
.building.stale .kw { color:var(--soft); }
table.plain { width:100%; border-collapse:collapse; font-size:14px; }
table.plain th { text-align:left; font-weight:500; color:var(--soft); font-size:12px; padding:4px 6px; }
table.plain td { padding:7px 6px; border-top:1px solid var(--line); vertical-align:baseline; }
table.plain .num { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; }
table.plain tr.sum td { font-weight:600; }
.controls { display:flex; flex-wrap:wrap; gap:10px; margin-bottom:10px; }
.controls > * { min-width:132px; flex:1 1 150px; max-width:340px; }
.rank-split { display:grid; grid-template-columns:minmax(0,3fr) minmax(0,2fr); gap:18px; align-items:start; }
.scroll { overflow-x:auto; }
.ranking td.wraps { white-space:normal; overflow-wrap:anywhere; }
.bar { display:inline-block; vertical-align:middle; width:54px; height:6px; border-radius:3px; background:var(--line);
  margin-right:7px; overflow:hidden; }
.bar i { display:block; height:100%; background:var(--accent); }
.bar.low i { background:var(--warn); }
.pager { display:flex; justify-content:center; margin-top:10px; }
.rank-chart { width:100%; }
.state { margin-bottom:12px; }
.books { margin:6px 0 4px; display:flex;
  flex-wrap:wrap; gap:4px 8px; align-items:baseline; font-variant-numeric:tabular-nums; }
.books b { font-size:18px; font-weight:600; }
.books .op { color:var(--soft); }
.findings { max-height:280px; overflow:auto; font-size:13px; }
.findings div { padding:3px 0; border-top:1px solid var(--line); overflow-wrap:anywhere; }
@media (max-width:860px) {
  .page { grid-template-columns:minmax(0,1fr); padding:10px 10px 28px; gap:10px; }
  .live-head, .rank-split { grid-template-columns:minmax(0,1fr); }
  .panel { padding:13px 12px; }
  .big { font-size:42px; }
  .cards { grid-template-columns:repeat(2,minmax(0,1fr)); }
  .top .tagline { display:none; }
  .bar { display:none; }
  table.plain td, table.plain th { padding:6px 4px; font-size:13px; }
  .wide-only { display:none; }
  .ranking td, .ranking th { padding:4px 5px!important; }
}
"""
