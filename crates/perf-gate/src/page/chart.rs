//! A plot, drawn by plotters in one of two sizes.

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use super::axis::Scale;
use super::ink::{Drawn, Ink, drawn};
use super::labels::{Labels, width};
use super::plot::{Look, Plot, Point, Series};
use super::tips::Place;
use crate::GateError;

/// The size of a drawing in its own units, near to pixels, and the room around the plot in it.
pub(super) struct Format {
    class: &'static str,
    size: (u32, u32),
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    /// The most ticks, across and up.
    ticks: [usize; 2],
    /// Whether dots have their names, else their numbers.
    has_names: bool,
}

/// Between the name of the y axis and the edge: the box of a letter is larger than the letter.
const EDGE: i32 = 4;

/// For wide screens and paper.
pub(super) const WIDE: Format = Format {
    class: "on-wide",
    size: (1040, 440),
    left: 58,
    right: 16,
    top: 24,
    bottom: 48,
    ticks: [12, 8],
    has_names: true,
};

/// For narrow screens.
pub(super) const NARROW: Format = Format {
    class: "on-narrow",
    size: (368, 320),
    left: 50,
    right: 8,
    top: 24,
    bottom: 46,
    ticks: [5, 6],
    has_names: false,
};

/// A drawing, ready for the template.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    class: &'static str,
    width: u32,
    height: u32,
    /// The SVG's elements.
    elements: String,
    /// Of each series, its points.
    #[serde(skip)]
    pub(super) places: Vec<Vec<Place>>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Context<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Scale, Scale>>;

impl Plot {
    /// The drawing in this format; `None` where no point can be shown.
    pub(super) fn chart(&self, format: &Format) -> Result<Option<Chart>, GateError> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = self.x.scale(points().map(|point| point.x), format.ticks[0]);
        let y = self.y.scale(points().map(|point| point.y), format.ticks[1]);
        let (Some(x), Some(y)) = (x, y) else { return Ok(None) };
        let draw = |area: &Area<'_>| self.draw(area, format, (x, y));
        let (elements, places) = drawn(format.size, draw)?;
        let Format { class, size: (width, height), .. } = *format;
        Ok(Some(Chart { class, width, height, elements, places }))
    }

    fn draw(
        &self,
        area: &Area<'_>,
        format: &Format,
        (x, y): (Scale, Scale),
    ) -> Drawn<Vec<Vec<Place>>> {
        let mut chart = ChartBuilder::on(area)
            .margin_left(EDGE)
            .margin_top(format.top)
            .margin_right(format.right)
            .x_label_area_size(format.bottom)
            .y_label_area_size(format.left)
            .build_cartesian_2d(x, y)?;
        self.draw_axes(&mut chart)?;
        self.draw_marks(&mut chart, format)?;
        for series in &self.series {
            series.draw(&mut chart)?;
        }
        self.draw_names(&mut chart, format)?;
        let place =
            |point: &Point| Place::of(chart.backend_coord(&(point.x, point.y)), format.size);
        let places = |series: &Series| series.points.iter().map(place).collect();
        Ok(self.series.iter().map(places).collect())
    }

    fn draw_axes(&self, chart: &mut Context<'_>) -> Drawn<()> {
        chart
            .configure_mesh()
            .bold_line_style(Ink::Rule.colour())
            .light_line_style(TRANSPARENT)
            .axis_style(Ink::Axis.colour())
            .set_all_tick_mark_size(4)
            .label_style(words(Ink::Words))
            .x_desc(self.x.name)
            .y_desc(self.y.name)
            .x_label_formatter(&|value| (self.x.text)(*value))
            .y_label_formatter(&|value| (self.y.text)(*value))
            .draw()
    }

    /// The marks within the axis, their names within the drawing; a name that would run into the
    /// one before it is left out.
    fn draw_marks(&self, chart: &mut Context<'_>, format: &Format) -> Drawn<()> {
        let (within, heights) = (chart.x_range(), chart.y_range());
        let style = words(Ink::Words).pos(Pos::new(HPos::Center, VPos::Bottom));
        let mut free_from = i32::MIN;
        for mark in self.marks.iter().filter(|mark| within.contains(&mark.x)) {
            let ends = [heights.start, heights.end].map(|y| (mark.x, y));
            chart.draw_series([PathElement::new(ends, Ink::Mark.colour())])?;
            let (line, half) = (chart.backend_coord(&ends[1]).0, width(&mark.name) / 2);
            let middle = line.min(format.size.0 as i32 - half);
            if middle - half >= free_from {
                free_from = middle + half;
                let name = Text::new(mark.name.clone(), (middle - line, -5), style.clone());
                chart.draw_series([EmptyElement::at(ends[1]) + name])?;
            }
        }
        Ok(())
    }

    /// The names of dots; without room for a name its number, without room for that nothing: the
    /// tip and the table have both.
    fn draw_names(&self, chart: &mut Context<'_>, format: &Format) -> Drawn<()> {
        let dots = self.series.iter().filter(|series| series.look == Look::Dots);
        let dots: Vec<(&Point, (i32, i32))> = dots
            .flat_map(|series| &series.points)
            .map(|point| (point, chart.backend_coord(&(point.x, point.y))))
            .collect();
        let places: Vec<(i32, i32)> = dots.iter().map(|(_, place)| *place).collect();
        let mut labels = Labels::new(chart.plotting_area().get_pixel_range(), &places);
        for (point, place) in dots {
            let names = &point.names[usize::from(!format.has_names)..];
            let mut spots = names.iter().filter(|name| !name.is_empty());
            let spot = spots.find_map(|name| Some((name, labels.place(place, name)?)));
            let Some((name, spot)) = spot else { continue };
            let side = if spot.is_left { HPos::Right } else { HPos::Left };
            let style = words(Ink::Name).pos(Pos::new(side, VPos::Center));
            let text = Text::new(name.clone(), spot.offset, style);
            chart.draw_series([EmptyElement::at((point.x, point.y)) + text])?;
        }
        Ok(())
    }
}

impl Series {
    fn draw(&self, chart: &mut Context<'_>) -> Drawn<()> {
        let colour = self.ink().colour();
        let points = || self.points.iter().map(|point| (point.x, point.y));
        if self.look != Look::Dots {
            chart.draw_series(LineSeries::new(points(), colour))?;
        }
        if self.look != Look::Roof {
            let radius = if self.look == Look::Dots { 5 } else { 3 };
            let dot = |point: &Point| {
                let style = if point.is_hollow { colour.into() } else { colour.filled() };
                Circle::new((point.x, point.y), radius, style)
            };
            chart.draw_series(self.points.iter().map(dot))?;
        }
        Ok(())
    }
}

/// Words in a picture: their size is the style sheet's, near to this one.
fn words(ink: Ink) -> TextStyle<'static> {
    ("sans-serif", 15).into_font().color(&ink.colour())
}
