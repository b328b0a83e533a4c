//! What plots are drawn on: time to the right, figures up.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{super::play::Failure, escape};

/// How wide a plot is, in pixels of the page, and when it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) class: &'static str,
    pub(super) width: f64,
    /// How many labels its axis has room for.
    pub(super) ticks: usize,
}

pub(super) const WIDE: Size = Size { class: "wide", width: 860.0, ticks: 13 };
pub(super) const NARROW: Size = Size { class: "narrow", width: 540.0, ticks: 8 };

/// A plot: a frame within a drawing, and what its sides mean.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Left, top, right, bottom, in pixels of the page.
    pub(super) frame: [f64; 4],
    /// What the right side means, in seconds.
    pub(super) length: f64,
    /// What the top means.
    pub(super) most: f64,
}

/// Where a text stands to its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Middle,
    Right,
}

/// Room for the figures at the left, and for half a label at the right.
const LEFT: f64 = 42.0;
const RIGHT: f64 = 16.0;
/// Drawings are in whole pixels: these are as many to a pixel of the page.
const FINE: f64 = 4.0;
/// What plotters takes a font to be larger than it is.
const FONT: f64 = 1.24;
/// How wide a letter is, about, at a size of one.
const LETTER: f64 = 0.56;

// === impl Canvas ===

/// Draws a plot of a height; `label` says what it shows to who cannot see it.
pub(super) fn svg(
    label: &str,
    (size, height): (Size, f64),
    (length, most): (f64, f64),
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut text = String::new();
    {
        let pixels = ((size.width * FINE) as u32, (height * FINE) as u32);
        let area = SVGBackend::with_string(&mut text, pixels).into_drawing_area();
        let frame = [LEFT, 1.0, size.width - RIGHT, height - 1.0];
        let canvas = Canvas { area, frame, length, most };
        draw(&canvas)?;
        canvas.area.present()?;
    }
    // Within a page a drawing needs no name space, and takes its size from the page.
    let start = text.find("viewBox").ok_or("a drawing without a size")?;
    let rest = text[start..].replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
    let (class, label) = (size.class, escape(label));
    Ok(format!("<svg class=\"{class}\" role=\"img\" aria-label=\"{label}\" {}", rest.trim_end()))
}

impl Canvas<'_> {
    pub(super) fn x(&self, time: f64) -> f64 {
        let [left, _, right, _] = self.frame;
        left + (right - left) * (time / self.length).clamp(0.0, 1.0)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let [_, top, _, bottom] = self.frame;
        bottom - (bottom - top) * (value / self.most).clamp(0.0, 1.0)
    }

    /// A filled shape, by its corners on the page.
    pub(super) fn fill(&self, corners: &[(f64, f64)], colour: RGBColor) -> Result<(), Failure> {
        let corners: Vec<_> = corners.iter().map(fine).collect();
        Ok(self.area.draw(&Polygon::new(corners, colour.filled()))?)
    }

    /// A filled rectangle, by two corners on the page.
    pub(super) fn block(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        colour: RGBColor,
    ) -> Result<(), Failure> {
        Ok(self.area.draw(&Rectangle::new([fine(&from), fine(&to)], colour.filled()))?)
    }

    pub(super) fn line(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), Failure> {
        let points: Vec<_> = points.iter().map(fine).collect();
        let style = colour.stroke_width((width * FINE) as u32);
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    /// A text, its middle as high as the point.
    pub(super) fn text(
        &self,
        text: &str,
        point: (f64, f64),
        (at, size, colour): (At, f64, RGBColor),
    ) -> Result<(), Failure> {
        let side = match at {
            At::Middle => HPos::Center,
            At::Right => HPos::Right,
        };
        let font = ("sans-serif", size * FINE * FONT).into_font().color(&colour);
        let style = font.pos(Pos::new(side, VPos::Center));
        Ok(self.area.draw(&Text::new(text.to_owned(), fine(&point), style))?)
    }

    /// Lines across, with what they stand for at the left.
    pub(super) fn grid(&self, values: &[(f64, String)]) -> Result<(), Failure> {
        let [left, _, right, _] = self.frame;
        for (value, label) in values {
            let y = self.y(*value);
            self.line(&[(left, y), (right, y)], colours::GRID, 1.0)?;
            let inside = y.clamp(self.frame[1] + 5.0, self.frame[3] - 5.0);
            self.text(label, (left - 6.0, inside), (At::Right, 11.0, colours::QUIET))?;
        }
        Ok(())
    }
}

/// How wide a text is, about.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

fn fine(point: &(f64, f64)) -> (i32, i32) {
    ((point.0 * FINE).round() as i32, (point.1 * FINE).round() as i32)
}

/// Names for colours: the page gives each what it looks like, by day and by night.
pub(super) mod colours {
    use plotters::style::RGBColor;

    pub(in super::super) const INK: RGBColor = RGBColor(0x10, 0x10, 0x01);
    pub(in super::super) const QUIET: RGBColor = RGBColor(0x10, 0x10, 0x02);
    pub(in super::super) const GRID: RGBColor = RGBColor(0x10, 0x10, 0x03);
    pub(in super::super) const EDGE: RGBColor = RGBColor(0x10, 0x10, 0x04);
    pub(in super::super) const LIGHT: RGBColor = RGBColor(0x10, 0x10, 0x05);
    pub(in super::super) const DARK: RGBColor = RGBColor(0x10, 0x10, 0x06);
    pub(in super::super) const LOAD: RGBColor = RGBColor(0x10, 0x10, 0x07);

    /// In the order of `Kind::ALL`.
    pub(in super::super) const KINDS: [RGBColor; 6] = [
        RGBColor(0x10, 0x11, 0x00),
        RGBColor(0x10, 0x11, 0x01),
        RGBColor(0x10, 0x11, 0x02),
        RGBColor(0x10, 0x11, 0x03),
        RGBColor(0x10, 0x11, 0x04),
        RGBColor(0x10, 0x11, 0x05),
    ];

    /// In the order of `breaker::STATES`.
    pub(in super::super) const STATES: [RGBColor; 4] = [
        RGBColor(0x10, 0x12, 0x00),
        RGBColor(0x10, 0x12, 0x01),
        RGBColor(0x10, 0x12, 0x02),
        RGBColor(0x10, 0x12, 0x03),
    ];

    /// The state of a provider.
    pub(in super::super) fn phase(name: &str) -> RGBColor {
        let place = PHASES.iter().position(|phase| *phase == name);
        RGBColor(0x10, 0x13, place.unwrap_or(PHASES.len()) as u8)
    }

    /// The states that have a colour of their own; the others share one.
    pub(in super::super) const PHASES: [&str; 4] = ["healthy", "brownout", "down", "ramping"];
}
