//! Latency and throughput of Envoy with each way of injecting, beside the same Envoy without.

use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::say;

use crate::config::Config;
use crate::leg::Leg;
use crate::load::Load;
use crate::programs::Programs;
use crate::stage::Stage;

/// What is measured changes between rounds as much as what else the machine does. The middle one counts.
const ROUNDS: usize = 15;

/// As long as what is injected: an Envoy that injects nothing has the same header to pass on, and the same answer to bring back.
const OWN: &[(&str, &str)] = &[("authorization", "Bearer at-made-up-secret-issue-0")];

const LATENCY: Load = Load { connections: 1, requests: 1_000, pace: None, headers: OWN };

const THROUGHPUT: Load = Load { connections: 8, requests: 5_000, pace: None, headers: OWN };

/// So that connections are open and code is warm before the first round.
const WARM: Load = Load { connections: 8, requests: 2_000, pace: None, headers: OWN };

struct Contender<'a> {
    name: String,
    stage: Stage<'a>,
    latencies: Vec<Duration>,
    rates: Vec<f64>,
    requests: u32,
    processor_time: Duration,
}

/// Measures, and prints a table.
pub(crate) fn measure(programs: &Programs, legs: &[Leg]) -> Result<()> {
    let mut contenders = vec![Contender::start(programs, Leg::Sds, false)?];
    for leg in legs {
        contenders.push(Contender::start(programs, *leg, true)?);
    }
    for contender in &mut contenders {
        contender.load(&WARM)?;
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            contender.round()?;
        }
    }
    print(&contenders);
    Ok(())
}

impl<'a> Contender<'a> {
    fn start(programs: &'a Programs, leg: Leg, injects: bool) -> Result<Self> {
        let mut stage = Stage::new(programs, leg)?;
        let name = if injects {
            stage.start()?;
            leg.name().to_owned()
        } else {
            stage.start_envoy(&Config::new(leg, &stage.place)?.without_injection()?)?;
            "no injection".to_owned()
        };
        Ok(Self { name, stage, latencies: Vec::new(), rates: Vec::new(), requests: 0, processor_time: Duration::ZERO })
    }

    fn round(&mut self) -> Result<()> {
        let median = self.load(&LATENCY)?.0;
        self.latencies.push(median);
        let rate = self.load(&THROUGHPUT)?.1;
        self.rates.push(rate);
        Ok(())
    }

    /// The median latency, and the requests in a second.
    fn load(&mut self, load: &Load) -> Result<(Duration, f64)> {
        let before = self.stage.envoy()?.processor_time().unwrap_or_default();
        let report = load.run(self.stage.listener()?)?;
        self.processor_time += self.stage.envoy()?.processor_time().unwrap_or_default() - before;
        self.requests += load.requests;
        self.stage.upstream.forget();
        let good = report.statuses.get(&200) == Some(&load.requests);
        ensure!(good, "{}: {:?}, and {} broken", self.name, report.statuses, report.broken.len());
        Ok((report.median(), report.per_second()))
    }
}

fn print(contenders: &[Contender<'_>]) {
    say(&format!(
        "\n| configuration | latency, 1 connection | | requests/s, 8 connections | | Envoy's processor time per request | |\n|---|{}",
        "---|".repeat(6)
    ));
    let mut base = None;
    for contender in contenders {
        let latency = middle(contender.latencies.iter().map(Duration::as_secs_f64)) * 1e6;
        let rate = middle(contender.rates.iter().copied());
        let processor = contender.processor_time.as_secs_f64() * 1e6 / f64::from(contender.requests);
        let (base_latency, base_rate, base_processor) = *base.get_or_insert((latency, rate, processor));
        say(&format!(
            "| {} | {latency:.0} µs | {} | {rate:.0} | {} | {processor:.1} µs | {} |",
            contender.name,
            over(latency, base_latency),
            over(rate, base_rate),
            over(processor, base_processor),
        ));
    }
    say(&format!("\nmedians of {ROUNDS} rounds in turns; upstream and client run on the same machine"));
}

/// How much more this is than that, in percent.
fn over(value: f64, base: f64) -> String {
    format!("{:+.1} %", (value / base - 1.0) * 100.0)
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_round_does_not_count() {
        assert!((middle([3.0, 900.0, 1.0, 2.0, 2.5].into_iter()) - 2.5).abs() < f64::EPSILON);
    }
}
