//! Feature sets: named features with their parameters, as data.
//!
//! ```toml
//! name = "mine"
//!
//! [[feature]]
//! name = "rsi_fast"        # the column; where left out: the indicator and its parameters
//! indicator = "rsi"
//! params = { window = 7 }
//!
//! [[feature]]
//! name = "rsi_mean"
//! indicator = "sma"
//! inputs = ["rsi_fast"]    # a column of the bars, or another feature
//! params = { window = 20 }
//!
//! [[feature]]
//! name = "bands"           # columns bands_upper and bands_lower
//! indicator = "bbands"
//! outputs = ["upper", "lower"]
//! ```

mod resolve;

use std::collections::HashMap;

use serde::Deserialize;

use crate::engine::graph::{Graph, Series};
use crate::error::FeatureError;
use crate::registry::{Column, Indicator};

use self::resolve::Resolver;

/// A list of named features with parameters.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    name: String,
    /// In an order in which each feature comes after those that it reads.
    features: Vec<Feature>,
    columns: Vec<OutputColumn>,
}

#[derive(Debug, Clone)]
struct Feature {
    name: String,
    indicator: &'static Indicator,
    params: Vec<f64>,
    inputs: Vec<Input>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Input {
    Column(Column),
    /// Output `.1` of feature `.0`.
    Feature(usize, usize),
}

#[derive(Debug, Clone)]
struct OutputColumn {
    name: String,
    feature: usize,
    output: usize,
}

/// A set as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    name: Option<String>,
    feature: Vec<FeatureFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureFile {
    name: Option<String>,
    indicator: String,
    #[serde(default)]
    params: HashMap<String, f64>,
    inputs: Option<Vec<String>>,
    outputs: Option<Vec<String>>,
}

const CLASSIC: &str = include_str!("../../sets/classic.toml");

const ALPHA_158: &str = include_str!("../../sets/alpha158.toml");

impl FeatureSet {
    /// Names of the sets that are built in.
    pub const BUILT_IN: [&'static str; 2] = ["classic", "alpha158"];

    /// Qlib's 158 features.
    #[must_use]
    pub fn alpha158() -> Self {
        Self::parse(ALPHA_158).expect("the built-in set parses: a test reads it")
    }

    /// The twenty indicators that TA-Lib is timed by.
    #[must_use]
    pub fn classic() -> Self {
        Self::parse(CLASSIC).expect("the built-in set parses: a test reads it")
    }

    /// The built-in set of that name.
    ///
    /// # Errors
    /// [`FeatureError::Unknown`] with the nearest name.
    pub fn built_in(name: &str) -> Result<Self, FeatureError> {
        match name {
            "classic" => Ok(Self::classic()),
            "alpha158" => Ok(Self::alpha158()),
            _ => Err(FeatureError::unknown("feature set", name, Self::BUILT_IN.into_iter())),
        }
    }

    /// Reads a set from its TOML text.
    ///
    /// # Errors
    /// [`FeatureError::Toml`] with line and column, [`FeatureError::Unknown`] with the nearest name,
    /// [`FeatureError::OutOfRange`], [`FeatureError::WindowZero`], [`FeatureError::Arity`],
    /// [`FeatureError::DuplicateColumn`], [`FeatureError::BadName`], [`FeatureError::Circle`].
    pub fn parse(text: &str) -> Result<Self, FeatureError> {
        let file: SetFile =
            toml::from_str(text).map_err(|e| FeatureError::Toml(e.to_string().trim().into()))?;
        Resolver::new(&file.feature)?.resolve(file.name.unwrap_or_else(|| "custom".into()))
    }

    /// A set of one feature: `indicator` with `params` in the order of its declaration.
    ///
    /// # Errors
    /// As [`Indicator::check`].
    pub fn single(indicator: &'static Indicator, params: &[f64]) -> Result<Self, FeatureError> {
        indicator.check(params)?;
        let inputs = indicator.inputs.iter().map(|&c| Input::Column(c)).collect();
        let base = default_name(indicator, params);
        let feature = Feature { name: base.clone(), indicator, params: params.to_vec(), inputs };
        let columns = (0..indicator.outputs.len())
            .map(|output| OutputColumn {
                name: column_name(&base, indicator, output),
                feature: 0,
                output,
            })
            .collect();
        Ok(Self { name: base, features: vec![feature], columns })
    }

    /// The set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the columns that it gives, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.name.clone()).collect()
    }

    /// Places in [`FeatureSet::columns`] of what is called `name`: of the column, or of all columns of
    /// the feature.
    ///
    /// # Errors
    /// [`FeatureError::Unknown`] with the nearest name.
    pub fn find(&self, name: &str) -> Result<Vec<usize>, FeatureError> {
        if let Some(at) = self.columns.iter().position(|c| c.name == name) {
            return Ok(vec![at]);
        }
        let feature = |c: &OutputColumn| self.features[c.feature].name.as_str();
        let of_feature = self.columns.iter().enumerate().filter(|(_, c)| feature(c) == name);
        let found: Vec<usize> = of_feature.map(|(at, _)| at).collect();
        if found.is_empty() {
            let known = self.columns.iter().flat_map(|c| [feature(c), &c.name]);
            let mut known: Vec<&str> = known.collect();
            known.dedup();
            return Err(FeatureError::unknown("feature", name, known.into_iter()));
        }
        Ok(found)
    }

    /// Per column: the number of the feature that it belongs to.
    pub(crate) fn owners(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|c| c.feature)
    }

    /// What tells this set from others: its columns, indicators, inputs and parameters.
    pub(crate) fn fingerprint(&self) -> String {
        let feature = |f: &Feature| format!("{}{:?}{:?}", f.indicator.name, f.params, f.inputs);
        let columns = |c: &OutputColumn| format!("{}={}.{}", c.name, c.feature, c.output);
        let features: Vec<String> = self.features.iter().map(feature).collect();
        let columns: Vec<String> = self.columns.iter().map(columns).collect();
        format!("{};{}", features.join(","), columns.join(","))
    }

    /// Whether any feature reads that column of the bars.
    pub(crate) fn reads(&self, column: Column) -> bool {
        self.features.iter().flat_map(|f| &f.inputs).any(|&i| i == Input::Column(column))
    }

    /// Builds the graph of the whole set over the sources in the order of [`Column::ALL`].
    pub(crate) fn plan(&self) -> Plan<'_> {
        self.plan_in(Graph::new(Column::ALL.len()))
    }

    /// As [`FeatureSet::plan`], with windows step by step.
    pub(crate) fn stepwise_plan(&self) -> Plan<'_> {
        self.plan_in(Graph::stepwise(Column::ALL.len()))
    }

    fn plan_in(&self, mut graph: Graph) -> Plan<'_> {
        let mut built: Vec<Vec<Series>> = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            let inputs: Vec<Series> = feature
                .inputs
                .iter()
                .map(|input| match *input {
                    Input::Column(column) => Series(column as usize),
                    Input::Feature(index, output) => built[index][output],
                })
                .collect();
            built.push((feature.indicator.build)(&mut graph, &inputs, &feature.params));
        }
        let series = self.columns.iter().map(|c| built[c.feature][c.output]).collect();
        Plan { set: self, graph, series }
    }
}

/// The graph of a set.
pub(crate) struct Plan<'s> {
    set: &'s FeatureSet,
    pub(crate) graph: Graph,
    /// The series of each column.
    pub(crate) series: Vec<Series>,
}

impl Plan<'_> {
    /// Each column's name and the first row that can hold a value.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = (&str, usize)> {
        let names = self.set.columns.iter().map(|c| c.name.as_str());
        names.zip(self.series.iter().map(|&s| self.graph.first(s)))
    }
}

fn default_name(indicator: &Indicator, params: &[f64]) -> String {
    let mut name = indicator.name.to_string();
    for value in params {
        name.push_str(&format!("_{value}"));
    }
    name
}

fn column_name(base: &str, indicator: &Indicator, output: usize) -> String {
    if indicator.outputs.len() == 1 {
        return base.to_string();
    }
    format!("{base}_{}", indicator.outputs[output])
}
