//! Fitted preprocessing.
