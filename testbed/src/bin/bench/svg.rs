//! A line chart as SVG, with powers of ten along x. Legible on light and on dark ground.

use std::fmt::Write as _;

use super::table::grouped;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 44.0;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Above 0.
    pub x: f64,
    /// At least 0.
    pub y: f64,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// Under the x axis.
    pub x: String,
    /// The unit of y.
    pub y: String,
    /// In order of x; at least two.
    pub points: Vec<Point>,
}

impl Chart {
    /// Its text.
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
             <style>text{{font:12px system-ui,sans-serif;fill:#59636e}}.t{{font-size:14px;font-weight:600;fill:#1f2328}}\
             .g{{stroke:#d1d9e0}}.l{{fill:none;stroke:#0969da;stroke-width:2}}.d{{fill:#0969da}}\
             @media(prefers-color-scheme:dark){{text{{fill:#9198a1}}.t{{fill:#f0f6fc}}.g{{stroke:#3d444d}}\
             .l{{stroke:#4493f8}}.d{{fill:#4493f8}}}}</style>\n\
             <text class=\"t\" x=\"{LEFT}\" y=\"24\">{title}</text>\n",
            title = self.title
        );
        let top = self.highest();
        for step in 0..=4 {
            let value = top * f64::from(step) / 4.0;
            let y = Self::down(value, top);
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "<path class=\"g\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} {}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                short(value),
                self.y
            );
        }
        let mut line = String::new();
        for (number, point) in self.points.iter().enumerate() {
            let (x, y) = (self.along(point.x), Self::down(point.y, top));
            let _ = write!(line, "{}{x:.1} {y:.1}", if number == 0 { "M" } else { "L" });
            let anchor = if number == 0 {
                "start"
            } else if number + 1 == self.points.len() {
                "end"
            } else {
                "middle"
            };
            let _ = writeln!(
                out,
                "<circle class=\"d\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">\
                 {}</text><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                y - 10.0,
                short(point.y),
                HEIGHT - BOTTOM + 18.0,
                grouped(point.x as u64)
            );
        }
        let middle = LEFT.midpoint(WIDTH - RIGHT);
        let _ = writeln!(
            out,
            "<path class=\"l\" d=\"{line}\"/>\n<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n</svg>",
            HEIGHT - 8.0,
            self.x
        );
        out
    }

    /// A round number above all values.
    fn highest(&self) -> f64 {
        let most = self.points.iter().map(|point| point.y).fold(f64::MIN_POSITIVE, f64::max) * 1.15;
        let power = 10_f64.powf(most.log10().floor());
        [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= most).unwrap_or(most)
    }

    fn along(&self, x: f64) -> f64 {
        let (first, last) = (self.points[0].x.log10(), self.points[self.points.len() - 1].x.log10());
        LEFT + (x.log10() - first) / (last - first) * (WIDTH - LEFT - RIGHT)
    }

    fn down(y: f64, top: f64) -> f64 {
        HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)
    }
}

/// Two digits after the point, without zeroes at the end.
fn short(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_spans_its_points() {
        let points = [(10.0, 3.0), (100.0, 2.5), (1_000.0, 2.0)].map(|(x, y)| Point { x, y }).to_vec();
        let chart = Chart { title: "Cost".to_owned(), x: "SLOs".to_owned(), y: "ms".to_owned(), points };
        let svg = chart.svg();
        assert!(svg.contains("d=\"M56.0 100.0L336.0 126.0L616.0 152.0\""), "{svg}");
        assert!(svg.contains(">4 ms</text>") && svg.contains(">1,000</text>") && svg.ends_with("</svg>\n"), "{svg}");
        assert_eq!(short(0.0), "0");
    }
}
