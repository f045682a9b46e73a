//! The page's look: light, dark, narrow, print. Its colours are the plots' variables and a few of its own.

/// All rules but those of the plots.
pub(super) const PAGE: &str = "\
:root{color-scheme:light dark;--panel:#f5f6f8;--good:#00734f;--careful:#8a4b00;--careful-paper:#fff6e5;--link:#005a8f}
@media (prefers-color-scheme:dark){:root{--panel:#1c2128;--good:#3ecf9f;--careful:#f2b84b;--careful-paper:#2b2415;--link:#7cc7f2}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--gn-paper);color:var(--gn-ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
header,nav,main,footer{max-width:1080px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
a{color:var(--link)}
.skip{position:absolute;left:-999em}.skip:focus{left:12px;top:12px;background:var(--gn-paper);padding:8px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.eyebrow{margin:0;color:var(--gn-soft);font-size:14px}
h1{font-size:32px;line-height:1.2;margin:4px 0 10px;overflow-wrap:anywhere;letter-spacing:-.01em}
.lead{font-size:19px;line-height:1.45;margin:0 0 4px;max-width:42em;overflow-wrap:anywhere}
.soft{color:var(--gn-soft)}
h2{font-size:23px;line-height:1.25;margin:56px 0 10px;padding-top:14px;border-top:2px solid var(--gn-ink);overflow-wrap:anywhere}
h3{font-size:16px;line-height:1.35;margin:0 0 4px;overflow-wrap:anywhere}
p{margin:0 0 10px;max-width:46em;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin:24px 0 14px}
.figures>div{background:var(--panel);border-radius:10px;padding:14px 18px;display:flex;flex-direction:column}
.figures dt,.figures dd{overflow-wrap:anywhere;min-width:0}
.figures>div{min-width:0}
.figures dt{order:2;font-weight:600}
.figures dd{margin:0;order:3;font-size:14px;color:var(--gn-soft);line-height:1.4}
.figures dd.value{order:1;font-size:34px;line-height:1.15;font-weight:650;color:var(--gn-ink);font-variant-numeric:tabular-nums}
.figures .better{color:var(--good)}.figures .worse{color:var(--careful);font-weight:600}
.kind,.careful{border-left:5px solid var(--good);background:var(--panel);border-radius:0 10px 10px 0;padding:12px 18px;margin:14px 0}
.kind p,.careful p{margin:0;max-width:none}
.kind.score,.careful{border-color:var(--careful)}
.careful{background:var(--careful-paper)}
.careful h2{font-size:16px;margin:0 0 4px;padding:0;border:0;color:var(--careful)}
.careful ul{margin:0;padding-left:20px;max-width:none}
ul{margin:0 0 12px;padding-left:22px;max-width:46em}
li{overflow-wrap:anywhere;margin:3px 0}
nav{margin-top:22px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:10px 0;margin:0;max-width:none;border-top:1px solid var(--gn-grid);border-bottom:1px solid var(--gn-grid);font-size:15px}
.grid+h3{margin-top:30px}.scroll+h3,ul+h3{margin-top:22px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:34px 44px;margin-top:20px}
figure{margin:0;min-width:0}
figcaption p{font-size:14.5px;color:var(--gn-soft);line-height:1.45;margin-bottom:6px}
svg.gn{display:block;width:100%;max-width:580px;height:auto}
.scroll{overflow-x:auto;margin:10px 0 18px}
table{border-collapse:collapse;font-size:14.5px;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;min-width:16em;font-weight:600;padding:0 0 6px}
th,td{padding:5px 22px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--gn-grid)}
thead th{white-space:nowrap}
th:last-child,td:last-child{padding-right:6px}
thead th{color:var(--gn-soft);font-weight:500;border-bottom:1.5px solid var(--gn-axis);vertical-align:bottom}
tbody th{font-weight:500;max-width:26em;overflow-wrap:break-word}
td{max-width:34em;overflow-wrap:break-word}
.n{text-align:right;white-space:nowrap}
tr.guess th,tr.guess td{color:var(--gn-soft)}tr.guess th{padding-left:14px;font-weight:400}
tr.chosen th,tr.chosen td{font-weight:700;background:var(--panel)}
tr.total th,tr.total td{font-weight:700;border-top:1.5px solid var(--gn-axis)}
details{margin:8px 0}
summary{cursor:pointer;color:var(--link);font-size:14.5px;overflow-wrap:anywhere}
pre{background:var(--panel);border-radius:10px;padding:14px 18px;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;margin:10px 0}
.findings{list-style:none;padding:0}
.findings li{border-left:5px solid var(--gn-axis);background:var(--panel);border-radius:0 10px 10px 0;padding:10px 18px;margin:10px 0}
.findings li.warning,.findings li.error{border-color:var(--careful)}
.findings p{margin:0}
footer{margin-top:64px;padding-top:16px;padding-bottom:40px;color:var(--gn-soft);font-size:14px}
@media (max-width:560px){
header,nav,main,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
th,td{padding-right:14px}td.w:last-child{min-width:9em}
h1{font-size:26px}.lead{font-size:17px}h2{margin-top:42px;font-size:21px}
.figures{grid-template-columns:1fr 1fr;gap:10px}.figures>div{padding:12px 14px}.figures dd.value{font-size:27px}
}
@media print{
:root{color-scheme:light;--panel:#f3f4f6;--good:#00603f;--careful:#6b3a00;--careful-paper:#fdf6e8;--link:#000}
@page{margin:15mm}
body{font-size:10.5pt}figcaption p{font-size:9.5pt}thead th{white-space:normal}
header,nav,main,footer{max-width:none;padding:0}
nav,.skip,details.numbers{display:none}
h1{font-size:22pt}h2{font-size:15pt;margin-top:26pt;break-after:avoid}h3{break-after:avoid}
.grid{grid-template-columns:1fr 1fr;gap:18pt 22pt}
.figures{grid-template-columns:repeat(4,1fr);gap:8pt}.figures>div{padding:8pt 10pt;border:.5pt solid var(--gn-grid)}.figures dd.value{font-size:20pt}
figure,.figures>div,.kind,.careful,.findings li,tr{break-inside:avoid}
.kind,.careful,.figures>div{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.scroll{overflow:visible}table{font-size:9pt}th,td{padding-right:12pt}
details:not(.numbers)::details-content{content-visibility:visible;display:block}
summary{color:inherit;list-style:none}
svg.gn{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
";
