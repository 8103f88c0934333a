//! The space of parameter values: axes, what they combine to, and which points are permitted.
//!
//! Points are never listed: point `i` of a grid follows from `i`, so that a grid of ten million
//! points, or a shard of it, costs no memory.

mod axis;
mod condition;

use std::fmt;

use backtest::strategy::{Strategy, check_values, parameter_index};

pub use axis::{Axis, Domain, Scale};
pub use condition::Condition;

use crate::OptimizerError;

/// Axes, and the values of the parameters that have none.
#[derive(Clone)]
pub struct ParamSpace<'a> {
    names: Vec<String>,
    base: Vec<f64>,
    axes: Vec<Axis>,
    /// The parameter of each axis.
    places: Vec<usize>,
    condition: Option<Condition>,
    strategy: Option<&'a dyn Strategy>,
}

impl<'a> ParamSpace<'a> {
    /// A space whose parameters are its axes, for any function.
    ///
    /// # Errors
    /// [`OptimizerError`] for two axes of one name or a condition that cannot be read.
    pub fn new(axes: Vec<Axis>, condition: Option<&str>) -> Result<Self, OptimizerError> {
        let names = axes.iter().map(|axis| axis.name.clone()).collect();
        let base = vec![0.0; axes.len()];
        let places = (0..axes.len()).collect();
        Self { names, base, axes, places, condition: None, strategy: None }.checked(condition)
    }

    /// A space of `strategy`'s parameters; those without an axis keep their default. Ranges of
    /// parameters that are whole become ranges of whole numbers.
    ///
    /// # Errors
    /// [`OptimizerError`] for an axis or a condition that does not fit the strategy.
    pub fn of_strategy(
        strategy: &'a dyn Strategy,
        axes: &[Axis],
        condition: Option<&str>,
    ) -> Result<Self, OptimizerError> {
        let parameters = strategy.parameters();
        let mut axes = axes.to_vec();
        let mut places = Vec::with_capacity(axes.len());
        for axis in &mut axes {
            let place = parameter_index(strategy, &axis.name)?;
            if parameters[place].is_integer {
                make_whole(&mut axis.domain);
            }
            for value in extremes(&axis.domain) {
                parameters[place].check(value)?;
            }
            places.push(place);
        }
        let names = parameters.iter().map(|parameter| parameter.name.to_string()).collect();
        let base = parameters.iter().map(|parameter| parameter.default).collect();
        let strategy = Some(strategy);
        Self { names, base, axes, places, condition: None, strategy }.checked(condition)
    }

    fn checked(mut self, condition: Option<&str>) -> Result<Self, OptimizerError> {
        for (at, axis) in self.axes.iter().enumerate() {
            if self.axes[..at].iter().any(|earlier| earlier.name == axis.name) {
                return Err(OptimizerError::DoubleAxis { name: axis.name.clone() });
            }
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.condition = condition.map(|text| Condition::parse(text, &names)).transpose()?;
        Ok(self)
    }

    /// Names of all parameters, in the order of a point's values.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The searched parameters.
    #[must_use]
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Points of the grid, permitted or not.
    ///
    /// # Errors
    /// [`OptimizerError::NoGrid`] for an axis whose values cannot be counted,
    /// [`OptimizerError::TooLarge`] for more points than a `u64` counts.
    pub fn grid_len(&self) -> Result<u64, OptimizerError> {
        let mut points = 1_u64;
        for axis in &self.axes {
            let count = axis.domain.count().ok_or_else(|| OptimizerError::NoGrid {
                name: axis.name.clone(),
                text: axis.domain.to_string(),
            })?;
            points = points
                .checked_mul(count)
                .ok_or(OptimizerError::TooLarge { points: u64::MAX, limit: crate::MAX_POINTS })?;
        }
        Ok(points)
    }

    /// Point `index` of the grid, last axis fastest. O(parameters).
    ///
    /// # Panics
    /// Where [`ParamSpace::grid_len`] is an error.
    #[must_use]
    pub fn grid_point(&self, index: u64) -> Vec<f64> {
        let mut left = index;
        let mut values = self.base.clone();
        for (axis, &place) in self.axes.iter().zip(&self.places).rev() {
            let count = axis.domain.count().unwrap_or(1);
            values[place] = axis.domain.value(left % count);
            left /= count;
        }
        values
    }

    /// The point at `unit`, a coordinate from 0 to 1 per axis.
    #[must_use]
    pub fn point_at(&self, unit: &[f64]) -> Vec<f64> {
        let mut values = self.base.clone();
        for ((axis, &place), &unit) in self.axes.iter().zip(&self.places).zip(unit) {
            values[place] = axis.domain.from_unit(unit);
        }
        values
    }

    /// The coordinates of a point in the unit cube, one per axis.
    #[must_use]
    pub fn unit_of(&self, values: &[f64]) -> Vec<f64> {
        let place = |(axis, &place): (&Axis, &usize)| axis.domain.to_unit(values[place]);
        self.axes.iter().zip(&self.places).map(place).collect()
    }

    /// Whether the condition and the strategy permit a point.
    #[must_use]
    pub fn permits(&self, values: &[f64]) -> bool {
        self.condition_holds(values) && self.strategy_error(values).is_none()
    }

    /// Why a point is not permitted.
    #[must_use]
    pub fn refusal(&self, values: &[f64]) -> Option<String> {
        let condition = self.condition.as_ref().filter(|_| !self.condition_holds(values));
        condition
            .map(|condition| format!("the condition '{}' refuses all", condition.text()))
            .or_else(|| self.strategy_error(values).map(|error| error.to_string()))
    }

    fn condition_holds(&self, values: &[f64]) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(values))
    }

    fn strategy_error(&self, values: &[f64]) -> Option<backtest::BacktestError> {
        check_values(self.strategy?, values).err()
    }
}

/// The axes and the condition, as they are written on a command line.
impl fmt::Display for ParamSpace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, axis) in self.axes.iter().enumerate() {
            write!(f, "{}{}={}", if at > 0 { " " } else { "" }, axis.name, axis.domain)?;
        }
        match &self.condition {
            Some(condition) => write!(f, " where {}", condition.text()),
            None => Ok(()),
        }
    }
}

fn make_whole(domain: &mut Domain) {
    if let Domain::Float { min, max, scale } = *domain
        && min.fract() == 0.0
        && max.fract() == 0.0
    {
        *domain = Domain::Integer { min, max, scale };
    }
}

/// The values of which all others are in range and whole if these are.
fn extremes(domain: &Domain) -> Vec<f64> {
    match *domain {
        Domain::Choice(ref values) => values.clone(),
        Domain::Steps { count, .. } => {
            [0, 1.min(count - 1), count - 1].map(|at| domain.value(at)).to_vec()
        }
        Domain::Integer { min, max, .. } | Domain::Float { min, max, .. } => vec![min, max],
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn strategy() -> &'static dyn Strategy {
        backtest::strategy::find("ma-cross").unwrap()
    }

    fn axes(pairs: &[(&str, &str)]) -> Vec<Axis> {
        pairs.iter().map(|(name, text)| Axis::parse(name, text).unwrap()).collect()
    }

    #[test]
    fn grid_points_follow_from_their_index() {
        let space = ParamSpace::new(axes(&[("a", "1,2"), ("b", "5:7:1")]), None).unwrap();
        let points: Vec<_> = (0..6).map(|at| space.grid_point(at)).collect();
        assert_eq!(space.grid_len().unwrap(), 6);
        assert_eq!(points[0], [1.0, 5.0]);
        assert_eq!(points[2], [1.0, 7.0]);
        assert_eq!(points[3], [2.0, 5.0]);
        assert_eq!(space.point_at(&[0.99, 0.0]), [2.0, 5.0]);
        assert_eq!(space.to_string(), "a=1,2 b=5:7:1");
    }

    #[test]
    fn a_grid_of_any_size_costs_nothing() {
        let wide = [("a", "0:999999999:1"), ("b", "0:999999999:1")];
        let space = ParamSpace::new(axes(&wide), None).unwrap();
        assert_eq!(space.grid_len().unwrap(), 1_000_000_000_000_000_000);
        assert_eq!(space.grid_point(1_000_000_000_000_000_000 - 1), [999_999_999.0; 2]);
        let wider = [("a", "0:999999999:1"), ("b", "0:999999999:1"), ("c", "1:100:1")];
        let error = ParamSpace::new(axes(&wider), None).unwrap().grid_len().unwrap_err();
        assert!(matches!(error, OptimizerError::TooLarge { .. }));
    }

    #[test]
    fn a_strategys_parameters_say_what_is_whole() {
        let space = ParamSpace::of_strategy(strategy(), &axes(&[("fast", "5:20")]), None).unwrap();
        assert_eq!(space.grid_len().unwrap(), 16);
        assert_eq!(space.grid_point(2), [7.0, 50.0], "slow keeps its default");
        let refused = |pairs: &[(&str, &str)]| {
            ParamSpace::of_strategy(strategy(), &axes(pairs), None).err().unwrap().to_string()
        };
        assert!(refused(&[("fast", "5:20:2.5")]).contains("whole number"));
        assert!(refused(&[("fast", "5.5:20")]).contains("whole number"));
        assert!(refused(&[("fast", "0:20")]).contains("from 1"));
        assert!(refused(&[("fats", "5:20")]).contains("did you mean 'fast'"));
        assert!(refused(&[("fast", "5"), ("fast", "6")]).contains("given twice"));
    }

    #[test]
    fn a_range_of_numbers_has_no_grid() {
        let space = ParamSpace::new(axes(&[("a", "0:1")]), None).unwrap();
        let error = space.grid_len().unwrap_err().to_string();
        assert!(error.contains("'a'") && error.contains("0:1:STEP"), "{error}");
    }

    #[test]
    fn refusals_say_why() {
        let space =
            ParamSpace::of_strategy(strategy(), &axes(&[("fast", "5:90")]), Some("fast > 8"))
                .unwrap();
        assert!(space.permits(&[9.0, 50.0]));
        assert!(space.refusal(&[5.0, 50.0]).unwrap().contains("'fast > 8'"));
        assert!(space.refusal(&[60.0, 50.0]).unwrap().contains("fast < slow"));
    }
}
