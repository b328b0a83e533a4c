//! The drawing area of a plot: time on the x axis, a figure on the y axis.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{super::play::BoxError, html::escape};

/// The width class of a plot: one for wide and one for narrow windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlotSize {
    pub(super) class: &'static str,
    /// The width in pixels of the page.
    pub(super) width: f64,
    /// The maximum number of labels on the time axis.
    pub(super) ticks: usize,
    /// The height in pixels of the page.
    pub(super) height: f64,
}

pub(super) const WIDE: PlotSize = PlotSize { class: "wide", width: 860.0, ticks: 13, height: 0.0 };
pub(super) const NARROW: PlotSize =
    PlotSize { class: "narrow", width: 540.0, ticks: 8, height: 0.0 };

/// The values at the right and the upper side of the frame. Both axes start at zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// The time at the right side, in seconds.
    pub(super) length: f64,
    /// The value at the upper side.
    pub(super) max: f64,
}

/// A plot: a frame within a drawing, and the scale of its axes.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Left, top, right and bottom, in pixels of the page.
    pub(super) frame: [f64; 4],
    pub(super) scale: Scale,
}

/// The position of a text relative to its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Middle,
    Right,
}

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextStyle {
    pub(super) anchor: Anchor,
    /// The font size in pixels of the page.
    pub(super) size: f64,
    pub(super) colour: RGBColor,
}

/// The margin at the left, for the labels of the y axis.
const LEFT: f64 = 42.0;
/// The margin at the right, for half a label of the time axis.
const RIGHT: f64 = 16.0;
/// Pixels of the drawing per pixel of the page. plotters draws at whole pixels only.
const RESOLUTION: f64 = 4.0;
/// The factor by which plotters draws a font smaller than its nominal size.
const FONT_FACTOR: f64 = 1.24;
/// The approximate width of a letter at a font size of one.
const LETTER_WIDTH: f64 = 0.56;

// === impl PlotSize ===

impl PlotSize {
    pub(super) fn with_height(self, height: f64) -> Self {
        Self { height, ..self }
    }
}

// === impl Canvas ===

/// Draws a plot. `label` describes the plot for screen readers.
pub(super) fn svg(
    label: &str,
    size: PlotSize,
    scale: Scale,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), BoxError>,
) -> Result<String, BoxError> {
    let mut text = String::new();
    {
        let pixels = ((size.width * RESOLUTION) as u32, (size.height * RESOLUTION) as u32);
        let area = SVGBackend::with_string(&mut text, pixels).into_drawing_area();
        let frame = [LEFT, 1.0, size.width - RIGHT, size.height - 1.0];
        let canvas = Canvas { area, frame, scale };
        draw(&canvas)?;
        canvas.area.present()?;
    }
    // An inline SVG needs no namespace, and the style sheet sets its size.
    let start = text.find("viewBox").ok_or("plotters wrote a drawing without a viewBox")?;
    let rest = text[start..].replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
    let (class, label) = (size.class, escape(label));
    Ok(format!("<svg class=\"{class}\" role=\"img\" aria-label=\"{label}\" {}", rest.trim_end()))
}

impl Canvas<'_> {
    pub(super) fn x(&self, time: f64) -> f64 {
        let [left, _, right, _] = self.frame;
        left + (right - left) * (time / self.scale.length).clamp(0.0, 1.0)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let [_, top, _, bottom] = self.frame;
        bottom - (bottom - top) * (value / self.scale.max).clamp(0.0, 1.0)
    }

    /// Fills a polygon, given by its corners on the page.
    pub(super) fn fill(&self, corners: &[(f64, f64)], colour: RGBColor) -> Result<(), BoxError> {
        let corners: Vec<_> = corners.iter().map(to_drawing).collect();
        Ok(self.area.draw(&Polygon::new(corners, colour.filled()))?)
    }

    /// Fills a rectangle, given by two corners on the page.
    pub(super) fn block(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        colour: RGBColor,
    ) -> Result<(), BoxError> {
        Ok(self
            .area
            .draw(&Rectangle::new([to_drawing(&from), to_drawing(&to)], colour.filled()))?)
    }

    /// Draws a line through `points` on the page.
    pub(super) fn line(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), BoxError> {
        let points: Vec<_> = points.iter().map(to_drawing).collect();
        let style = colour.stroke_width((width * RESOLUTION) as u32);
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    /// Draws a text. Its vertical middle is at the point.
    pub(super) fn text(
        &self,
        text: &str,
        point: (f64, f64),
        style: TextStyle,
    ) -> Result<(), BoxError> {
        let side = match style.anchor {
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let size = style.size * RESOLUTION * FONT_FACTOR;
        let font = ("sans-serif", size).into_font().color(&style.colour);
        let style = font.pos(Pos::new(side, VPos::Center));
        Ok(self.area.draw(&Text::new(text.to_owned(), to_drawing(&point), style))?)
    }

    /// Draws a horizontal line at each value, with its label at the left.
    pub(super) fn grid(&self, values: &[(f64, String)]) -> Result<(), BoxError> {
        let [left, _, right, _] = self.frame;
        for (value, label) in values {
            let y = self.y(*value);
            self.line(&[(left, y), (right, y)], colours::GRID, 1.0)?;
            let inside = y.clamp(self.frame[1] + 5.0, self.frame[3] - 5.0);
            let style = TextStyle { anchor: Anchor::Right, size: 11.0, colour: colours::QUIET };
            self.text(label, (left - 6.0, inside), style)?;
        }
        Ok(())
    }
}

/// The approximate width of a text, in pixels of the page.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER_WIDTH
}

fn to_drawing(point: &(f64, f64)) -> (i32, i32) {
    ((point.0 * RESOLUTION).round() as i32, (point.1 * RESOLUTION).round() as i32)
}

/// Placeholder colours. The style sheet replaces each, for a light and for a dark theme.
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

    /// The colour of a provider state.
    pub(in super::super) fn phase(name: &str) -> RGBColor {
        let index = PHASES.iter().position(|phase| *phase == name);
        RGBColor(0x10, 0x13, index.unwrap_or(PHASES.len()) as u8)
    }

    /// The provider states with their own colour. All other states share one.
    pub(in super::super) const PHASES: [&str; 4] = ["healthy", "brownout", "down", "ramping"];
}
