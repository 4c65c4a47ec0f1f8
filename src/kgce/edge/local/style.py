"""The page's style sheet."""

from typing import Final

STYLE: Final = """
:root{font:16px/1.45 system-ui,sans-serif;color:#1b2733;background:#f4f6f8}
body{margin:0}main{max-width:1180px;margin:0 auto;padding:1rem}
header{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;background:#fff;border-radius:10px;padding:1rem;
border-left:10px solid #1d7f4e}
header.alarm{border-color:#b3261e}header.warning{border-color:#a76300}header.info{border-color:#2b6cb0}
header h1{margin:0;font-size:1.5rem}header p{margin:0}.aside{margin-left:auto!important;text-align:right;color:#4a5a69;
font-size:.85rem}
.word{font-weight:700;font-size:1.3rem;padding:.4rem .8rem;border-radius:8px;color:#fff;background:#1d7f4e}
.alarm .word{background:#b3261e}.warning .word{background:#a76300}.info .word{background:#2b6cb0}
section{background:#fff;border-radius:10px;margin-top:1rem;padding:1rem}h2{margin:0 0 .6rem;font-size:1.1rem}
summary{font-size:1.1rem;font-weight:700;cursor:pointer}
.problems{margin:0;padding:0;list-style:none}.problems li{border-left:6px solid;padding:.4rem .8rem;margin:.5rem 0;
background:#fafbfc;overflow-wrap:anywhere}.problems li.alarm{border-color:#b3261e}
.problems li.warning{border-color:#a76300}.problems li.info{border-color:#2b6cb0}
.problems p{margin:.15rem 0}.when{color:#4a5a69;font-size:.9rem}
.todo{color:#123}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:1rem;background:none;padding:0}
.tile{background:#fff;border-radius:10px;padding:1rem;overflow-wrap:anywhere}.tile h3{margin:0;font-size:.95rem;
color:#4a5a69}.tile p{margin:.2rem 0;font-size:.9rem}.tile .big{font-size:1.5rem;font-weight:700}
meter{width:45%}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th{text-align:left;color:#4a5a69;font-weight:600;padding:.3rem .6rem;border-bottom:2px solid #dde3e9}
td{padding:.3rem .6rem;border-bottom:1px solid #e8ecf0;font-variant-numeric:tabular-nums}
b.well{color:#1d7f4e}b.warning{color:#a76300}
@media(max-width:640px){thead{display:none}tr{display:block;padding:.5rem 0;border-bottom:2px solid #dde3e9}
td{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.15rem 0;overflow-wrap:anywhere}
td:empty{display:none}td::before{content:attr(data-name);color:#4a5a69}.aside{margin-left:0!important;text-align:left}}
""".strip()
