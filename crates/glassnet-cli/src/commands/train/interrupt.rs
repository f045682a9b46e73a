//! Ctrl-C (and SIGTERM): the first one ends training after the step at hand, the second one ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::error::CliError;

const BEFORE: u8 = 0;
const TRAINING: u8 = 1;
const AFTER: u8 = 2;

/// Whether someone asked to stop, and how far the work is.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    stage: Arc<AtomicU8>,
}

impl Interrupt {
    /// Listens from now on. Before training an interrupt ends the process at once: nothing is lost.
    ///
    /// # Errors
    /// The system gives no handler.
    pub fn listen() -> Result<Self, CliError> {
        Self::saying(
            "interrupted: stopping after this step and keeping the best epoch so far (again to end at once)",
            "interrupted: training is over, writing the model (again to end at once)",
        )
    }

    /// The same with words of its own for an interrupt while something is trained, and after it.
    ///
    /// # Errors
    /// The system gives no handler.
    pub fn saying(training: &'static str, over: &'static str) -> Result<Self, CliError> {
        let interrupt = Interrupt::default();
        let (asked, stage) = (Arc::clone(&interrupt.asked), Arc::clone(&interrupt.stage));
        ctrlc::set_handler(move || {
            use std::io::Write;
            let again = asked.swap(true, Ordering::SeqCst);
            let text = match stage.load(Ordering::SeqCst) {
                BEFORE => "interrupted before training began: nothing is written",
                _ if again => "interrupted again: ending at once, nothing more is written",
                TRAINING => training,
                _ => over,
            };
            let _ = writeln!(std::io::stderr(), "\n{text}");
            if again || stage.load(Ordering::SeqCst) == BEFORE {
                std::process::exit(130);
            }
        })
        .map_err(|error| CliError::Usage(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(interrupt)
    }

    /// Whether to stop.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Training begins.
    pub fn training(&self) {
        self.stage.store(TRAINING, Ordering::SeqCst);
    }

    /// Training is over.
    pub fn after(&self) {
        self.stage.store(AFTER, Ordering::SeqCst);
    }
}
