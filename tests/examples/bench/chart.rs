//! Cost against the number of accounts, as an SVG with logarithmic axes.

use std::fmt::{self, Result, Write as _};

/// The times of one kind of call: seconds for numbers of accounts.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 430.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 236.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 52.0;
/// Names at the right edge keep this distance.
const LINE: f64 = 16.0;

/// Readable on a light and on a dark page.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#8884;stroke-width:1}\
                     @media(prefers-color-scheme:dark){text{fill:#ddd}}";
const COLOURS: [&str; 8] = ["#0a84d6", "#5fb3e8", "#d1590f", "#e79a63", "#2e9e55", "#8a5cc2", "#b8324f", "#8d8d2a"];

/// A range of powers of ten.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, start: f64, end: f64) -> Self {
        let from = values.clone().map(f64::log10).fold(f64::INFINITY, f64::min).floor();
        let to = values.map(f64::log10).fold(f64::NEG_INFINITY, f64::max).ceil().max(from + 1.0);
        Self { from, to, start, end }
    }

    fn at(&self, value: f64) -> f64 {
        self.start + (value.log10() - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// The powers of ten on it.
    fn powers(&self) -> impl Iterator<Item = f64> {
        let (from, steps) = (self.from, self.to - self.from);
        std::iter::successors(Some(0.0), move |step| (*step + 1.0 <= steps).then_some(*step + 1.0))
            .map(move |step| 10_f64.powf(from + step))
    }
}

/// The chart, or nothing without points.
pub(crate) fn svg(series: &[Series]) -> std::result::Result<String, fmt::Error> {
    let points = || series.iter().flat_map(|series| series.points.iter().copied());
    if points().next().is_none() {
        return Ok(String::new());
    }
    let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Time of a call against the number of accounts in the cache\">\n<style>{STYLE}</style>\n"
    );
    for power in x.powers() {
        let at = x.at(power);
        line(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM))?;
        text(&mut svg, (at, HEIGHT - BOTTOM + 18.0), "middle", &format!("{power}"))?;
    }
    for power in y.powers() {
        let at = y.at(power);
        line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at))?;
        text(&mut svg, (LEFT - 8.0, at + 4.0), "end", &duration(power))?;
    }
    text(&mut svg, ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12.0), "middle", "accounts in the cache")?;
    let mut names = Vec::new();
    for (series, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let at: Vec<_> = series.points.iter().map(|(count, time)| (x.at(*count), y.at(*time))).collect();
        let path: Vec<_> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        writeln!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{path}\"/>")?;
        for (x, y) in &at {
            writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>")?;
        }
        names.extend(at.last().map(|(_, y)| (*y, colour, &series.name)));
    }
    names.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut lowest = f64::NEG_INFINITY;
    for (wanted, colour, name) in names {
        lowest = wanted.max(lowest + LINE);
        let x = WIDTH - RIGHT + 12.0;
        writeln!(svg, "<rect x=\"{x}\" y=\"{:.1}\" width=\"10\" height=\"3\" fill=\"{colour}\"/>", lowest - 1.5)?;
        text(&mut svg, (x + 16.0, lowest + 4.0), "start", name)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) -> Result {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(svg, "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) -> Result {
    writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", at.0, at.1)
}

/// A power of ten of seconds.
fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 0.9 => format!("{seconds:.0} s"),
        _ if seconds >= 0.9e-3 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds >= 0.9e-6 => format!("{:.0} µs", seconds * 1e6),
        _ => format!("{:.0} ns", seconds * 1e9),
    }
}
