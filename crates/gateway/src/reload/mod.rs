//! Reads the configuration file again while the gateway runs: when it changes, and on SIGHUP.
//!
//! The new configuration is read, checked and built as a whole; then requests that begin go to the new gateway, and those under
//! way end on the old one. Both share the state of [`evenkeel::ClientBuilder::state_of`]: breakers, limits, budgets, stored
//! answers; connections are kept unless `limits.connect` changed. A file with an error is refused with its line in one line of
//! the log, once for each content, and the configuration stays as it was.
//!
//! The file is read every second. It is taken once two reads have the same text, since an editor may be writing it. It is opened
//! by its name each time, so that a file that replaces another by a rename is seen, and a symlink is followed, as in a ConfigMap of
//! Kubernetes. An empty file is taken on SIGHUP alone: an editor may have emptied it to write it.
//!
//! | file | what it does |
//! |---|---|
//! | `current` | the gateway that answers, and the status of the last reload |
//! | `file_watch` | decides when a text is taken |
//! | `run` | the task: reads the file, builds the gateway, replaces the current one |
//! | `changes` | the names of the keys that changed, for the log |
//! | `hangup` | SIGHUP |

mod changes;
mod current;
mod file_watch;
mod hangup;
mod run;

pub(crate) use self::{
    current::{Current, Status},
    run::{Source, start},
};
