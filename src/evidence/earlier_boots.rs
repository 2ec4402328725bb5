//! The kernel log of earlier boots, as the journal keeps it.

use std::time::{Duration, Instant};

use super::recorder::Recorder;
use super::recording::Kept;
use super::tool;
use crate::tree::Cause;

/// Most boots.
const BOOTS: u32 = 9;
/// The newest lines of each that are kept.
const LINES: &str = "100000";
/// Most bytes of one boot: 100,000 lines have about ten million.
const LIMIT: usize = 32 << 20;
/// Time for one boot: the journal of a machine that ran for months is searched from disk.
const DEADLINE: Duration = Duration::from_secs(10);
/// Time for all of them.
const ALTOGETHER: Duration = Duration::from_secs(30);

/// Keeps the logs of earlier boots as `var/log/dmesg.1` and so on, the newest first, until there is none. Says why not,
/// unless that is ordinary: no journal, or one that holds this boot only. `watch`: whether to go on.
pub fn keep(recorder: &Recorder, watch: &mut dyn FnMut() -> bool) -> Option<String> {
    let begin = Instant::now();
    for number in 1..=BOOTS {
        let left = ALTOGETHER.saturating_sub(begin.elapsed()).min(DEADLINE);
        if left.is_zero() {
            return Some(format!(
                "logs of boots before the {number}. last were not asked for: the journal is slow"
            ));
        }
        let boot = format!("-{number}");
        // short-monotonic has the time since the start, as dmesg has it (journalctl(1)).
        let arguments =
            ["--quiet", "--no-pager", "-o", "short-monotonic", "-b", &boot, "-n", LINES, "_TRANSPORT=kernel"];
        let answer = tool::run("journalctl", &arguments, b"", left, LIMIT, watch);
        let path = format!("var/log/dmesg.{number}");
        match answer {
            Ok(answer)
                if answer.status.is_none_or(|status| status.success()) && !answer.output.is_empty() =>
            {
                recorder.keep(&path, Kept::File { bytes: answer.output, size: None });
            }
            // No such boot, or no journal that outlives one.
            Ok(_) | Err(tool::ToolError::Missing(_)) => return None,
            Err(tool::ToolError::Late { .. }) => {
                let late = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
                recorder.keep(&path, Kept::Failed(Cause::TimedOut(late)));
                return None;
            }
            Err(error) => return Some(format!("logs of earlier boots: {error}")),
        }
    }
    None
}
