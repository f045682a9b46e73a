//! Colours and strokes. The colours are those of Okabe and Ito, which people with the usual kinds of colour blindness can tell
//! apart ("Color Universal Design", 2008), in an order that keeps the first ones dark on white and light on dark. Dashes and
//! markers differ along with them, so that a plot says the same in grey.

/// How many colours, dashes and markers there are before they come again.
pub const COLOURS: usize = 7;

/// The variables: light, dark where the reader prefers it, light again in print.
pub const VARIABLES: &str = "\
:root{--gn-paper:#fff;--gn-ink:#1b2027;--gn-soft:#565e69;--gn-axis:#8c939d;--gn-grid:#e5e8ec;--gn-heat:#0072b2;\
--gn-1:#0072b2;--gn-2:#d55e00;--gn-3:#009e73;--gn-4:#cc79a7;--gn-5:#5b6470;--gn-6:#e69f00;--gn-7:#56b4e9}\
@media (prefers-color-scheme:dark){:root{--gn-paper:#14171c;--gn-ink:#e9ecf0;--gn-soft:#a8b0bb;--gn-axis:#6f7884;\
--gn-grid:#2a3038;--gn-heat:#56b4e9;\
--gn-1:#56b4e9;--gn-2:#e69f00;--gn-3:#18b889;--gn-4:#cc79a7;--gn-5:#b4bcc7;--gn-6:#f0e442;--gn-7:#d55e00}}\
@media print{:root{--gn-paper:#fff;--gn-ink:#000;--gn-soft:#444;--gn-axis:#777;--gn-grid:#ddd;--gn-heat:#0072b2;\
--gn-1:#0072b2;--gn-2:#d55e00;--gn-3:#009e73;--gn-4:#cc79a7;--gn-5:#5b6470;--gn-6:#e69f00;--gn-7:#56b4e9}}";

/// The rules of plots, all below `svg.gn`. Where variables are unknown the colours of light stand before them.
pub const PLOTS: &str = "\
svg.gn{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}\
.gn text{fill:#1b2027;fill:var(--gn-ink);stroke:none}\
.gn .soft{fill:#565e69;fill:var(--gn-soft)}\
.gn .head{font-size:16px;font-weight:600}\
.gn .small{font-size:12px}\
.gn .strong{font-weight:600}\
.gn .onheat{fill:#fff;fill:var(--gn-paper)}\
.gn .paper{fill:#fff;fill:var(--gn-paper);stroke:none}\
.gn .heat{fill:#0072b2;fill:var(--gn-heat);stroke:none}\
.gn .cell{fill:none;stroke:#e5e8ec;stroke:var(--gn-grid)}\
.gn .grid{stroke:#e5e8ec;stroke:var(--gn-grid);stroke-width:1;fill:none}\
.gn .axis{stroke:#8c939d;stroke:var(--gn-axis);stroke-width:1;fill:none}\
.gn .spread{stroke:#1b2027;stroke:var(--gn-ink);stroke-width:1.4;fill:none}\
.gn .rule{stroke:#565e69;stroke:var(--gn-soft);stroke-width:1.2;stroke-dasharray:2 3;fill:none}\
.gn .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
.gn .thin{stroke-width:1.3}\
.gn .dots{fill:none;stroke-width:4.5;stroke-linecap:round;stroke-opacity:.4}\
.gn .ring{fill:#fff;fill:var(--gn-paper);stroke-width:2}\
.gn .mark{stroke:#fff;stroke:var(--gn-paper);stroke-width:1}\
.gn .area{fill-opacity:.16;stroke:none}\
.gn .bar{stroke:#fff;stroke:var(--gn-paper);stroke-width:1}\
.gn .s1{stroke:#0072b2;stroke:var(--gn-1)}.gn .s2{stroke:#d55e00;stroke:var(--gn-2)}\
.gn .s3{stroke:#009e73;stroke:var(--gn-3)}.gn .s4{stroke:#cc79a7;stroke:var(--gn-4)}\
.gn .s5{stroke:#5b6470;stroke:var(--gn-5)}.gn .s6{stroke:#e69f00;stroke:var(--gn-6)}\
.gn .s7{stroke:#56b4e9;stroke:var(--gn-7)}\
.gn .f1{fill:#0072b2;fill:var(--gn-1)}.gn .f2{fill:#d55e00;fill:var(--gn-2)}\
.gn .f3{fill:#009e73;fill:var(--gn-3)}.gn .f4{fill:#cc79a7;fill:var(--gn-4)}\
.gn .f5{fill:#5b6470;fill:var(--gn-5)}.gn .f6{fill:#e69f00;fill:var(--gn-6)}\
.gn .f7{fill:#56b4e9;fill:var(--gn-7)}\
.gn .d2{stroke-dasharray:7 4}.gn .d3{stroke-dasharray:2 4}.gn .d4{stroke-dasharray:9 3 2 3}\
.gn .d5{stroke-dasharray:4 2}.gn .d6{stroke-dasharray:12 4}.gn .d7{stroke-dasharray:1 3}";

/// The number of a colour, dash or marker, 1 to [`COLOURS`], of the series at place `index`.
pub fn nth(index: usize) -> usize {
    index % COLOURS + 1
}
