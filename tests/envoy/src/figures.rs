//! Latency and throughput of Envoy with each way of injecting, beside the same Envoy without.

use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::say;

use crate::config::Config;
use crate::leg::Leg;
use crate::load::{Load, Report};
use crate::programs::Programs;
use crate::stage::Stage;

/// Other work on the machine changes a measurement more than any injection does. So each contender
/// is compared with the one without injection in the same round, and the median of these
/// comparisons counts.
const ROUNDS: usize = 30;

/// A header as long as the injected one: an Envoy without injection passes on and returns as many
/// bytes.
const OWN: &[(&str, &str)] = &[("authorization", "Bearer at-made-up-secret-issue-0")];

const LATENCY: Load = Load { connections: 1, requests: 1_000, pace: None, headers: OWN };

const THROUGHPUT: Load = Load { connections: 8, requests: 5_000, pace: None, headers: OWN };

/// Opens connections and warms caches before the first round.
const WARM: Load = Load { connections: 8, requests: 2_000, pace: None, headers: OWN };

struct Contender<'a> {
    name: String,
    stage: Stage<'a>,
    /// The median latency of each round, in microseconds.
    latencies: Vec<f64>,
    /// The requests per second of each round.
    rates: Vec<f64>,
    /// Envoy's processor time over all rounds; the kernel counts it in steps of 10 ms.
    processor_time: Duration,
}

/// Measures all contenders and prints a table.
pub(crate) fn measure(programs: &Programs, legs: &[Leg]) -> Result<()> {
    let mut contenders = vec![Contender::start(programs, Leg::Sds, false)?];
    for leg in legs {
        contenders.push(Contender::start(programs, *leg, true)?);
    }
    for contender in &mut contenders {
        contender.load(&WARM)?;
    }
    for round in 0..ROUNDS {
        // The order rotates and alternates its direction, so no contender always runs first or
        // after the same other one.
        let (count, first) = (contenders.len(), round % contenders.len());
        let direction = |place: usize| if round % 2 == 0 { place } else { count - 1 - place };
        for place in 0..count {
            if let Some(contender) = contenders.get_mut((first + direction(place)) % count) {
                contender.round()?;
            }
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
        Ok(Self { name, stage, latencies: Vec::new(), rates: Vec::new(), processor_time: Duration::ZERO })
    }

    fn round(&mut self) -> Result<()> {
        let before = self.envoys_time()?;
        let latency = self.load(&LATENCY)?.median();
        let rate = self.load(&THROUGHPUT)?.per_second();
        let after = self.envoys_time()?;
        self.processor_time += after.saturating_sub(before);
        self.latencies.push(latency.as_secs_f64() * 1e6);
        self.rates.push(rate);
        Ok(())
    }

    fn envoys_time(&mut self) -> Result<Duration> {
        Ok(self.stage.envoy()?.processor_time().unwrap_or_default())
    }

    fn load(&mut self, load: &Load) -> Result<Report> {
        let report = load.run(self.stage.listener()?)?;
        self.stage.upstream.forget();
        let good = report.statuses.get(&200) == Some(&load.requests);
        ensure!(good, "{}: {:?}, and {} broken", self.name, report.statuses, report.broken.len());
        Ok(report)
    }
}

fn print(contenders: &[Contender<'_>]) {
    say(&format!(
        "\n| configuration | latency, 1 connection | | requests/s, 8 connections | | Envoy's processor time per request | |\n|---|{}",
        "---|".repeat(6)
    ));
    let Some(base) = contenders.first() else { return };
    let requests = ROUNDS as f64 * f64::from(LATENCY.requests + THROUGHPUT.requests);
    for contender in contenders {
        let time = contender.processor_time.as_secs_f64();
        say(&format!(
            "| {} | {:.0} µs | {} | {:.0} | {} | {:.1} µs | {:+.1} % |",
            contender.name,
            middle(&contender.latencies),
            over(&contender.latencies, &base.latencies),
            middle(&contender.rates),
            over(&contender.rates, &base.rates),
            time * 1e6 / requests,
            (time / base.processor_time.as_secs_f64() - 1.0) * 100.0,
        ));
    }
    say(&format!(
        "\nmedians of {ROUNDS} rounds in turns, and of the differences within a round, with the half of these in the middle; \
         upstream and client run on the same machine"
    ));
}

/// The median of the differences in percent, and the range of the middle half of them.
fn over(values: &[f64], base: &[f64]) -> String {
    let mut ratios: Vec<f64> = values.iter().zip(base).map(|(value, base)| (value / base - 1.0) * 100.0).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |part: usize| ratios.get(ratios.len() * part / 4).copied().unwrap_or_default();
    format!("{:+.1} % ({:+.1} to {:+.1})", at(2), at(1), at(3))
}

fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_round_does_not_count() {
        assert!((middle(&[3.0, 900.0, 1.0, 2.0, 2.5]) - 2.5).abs() < f64::EPSILON);
        assert_eq!(over(&[2.2, 90.0, 1.1, 4.4], &[2.0, 1.0, 1.0, 4.0]), "+10.0 % (+10.0 to +8900.0)");
    }
}
