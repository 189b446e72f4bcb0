//! fio, if it is installed: random reads by its io_uring engine, the tool by which disks are judged.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::page::PAGE_LEN;
use super::{Contestant, DirectReads, Throughput};

/// Does one thing, and tells the figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fio;

impl Contestant for Fio {
    fn name(&self) -> &'static str {
        "fio"
    }

    fn lacks(&self, _what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "does op-direct only")
    }

    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let mut command = Command::new("fio");
        command.args(["--name=reads", "--output-format=json", "--thread"]);
        command.args(["--ioengine=io_uring", "--direct=1", "--rw=randread"]);
        // Readers take any page at any time, and look at the clock once per turn, as the others do.
        command.args(["--norandommap", "--gtod_reduce=1", "--time_based"]);
        command
            .arg("--filename")
            .arg(plan.file)
            .arg(format!("--bs={PAGE_LEN}"))
            .arg(format!(
                "--size={}",
                u64::from(plan.pages) * PAGE_LEN as u64
            ))
            .arg(format!("--iodepth={}", plan.depth))
            .arg(format!("--runtime={}ms", plan.duration.as_millis()))
            .arg(format!("--cpus_allowed={}", plan.cpu));
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                io::Error::new(io::ErrorKind::Unsupported, "is not on the PATH")
            } else {
                error
            }
        })?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("fio failed: {errors}")));
        }
        told(&output.stdout).ok_or_else(|| io::Error::other("fio's figures are not as expected"))
    }
}

/// Finds the figures in fio's output, which may begin with other lines.
fn told(output: &[u8]) -> Option<Throughput> {
    let start = output.iter().position(|&byte| byte == b'{')?;
    let value: Value = serde_json::from_slice(&output[start..]).ok()?;
    let read = &value["jobs"][0]["read"];
    Some(Throughput {
        operations: read["total_ios"].as_u64()?,
        elapsed: Duration::from_millis(read["runtime"].as_u64()?),
    })
}

#[cfg(test)]
mod tests;
