//! What people look at: plots as SVG, and the report of a run as one HTML page without scripts.
//!
//! | module | what |
//! |---|---|
//! | [`plot`] | line plots, scatter, histograms, bars, confusion tables, reliability diagrams, contributions, as SVG |
//! | [`measure`] | from scores and true values to the curves that are drawn: ROC, precision and recall, reliability, thresholds |
//! | [`page`] | [`page::ReportData`] and the page made of it |
//!
//! Everything is text that is made by hand, and the same data give the same bytes: no clock, no random number. A value that
//! is not finite is never drawn and never printed as a number.
//!
//! ```
//! use glassnet_report::page::{self, ReportData};
//! let data = ReportData { title: "late in flights.csv".into(), ..ReportData::default() };
//! let html = page::render(&data);
//! assert!(html.starts_with("<!doctype html>") && !html.contains("<script"));
//! ```
#![forbid(unsafe_code)]

pub mod escape;
pub mod measure;
pub mod number;
pub mod page;
pub mod plot;
