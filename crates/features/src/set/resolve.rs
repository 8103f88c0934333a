//! From the text of a set to its features, in an order in which each comes after those that it reads.

use std::collections::HashMap;

use super::{Feature, FeatureFile, FeatureSet, Input, OutputColumn, column_name, default_name};
use crate::error::FeatureError;
use crate::registry::{self, Column, Indicator};

/// Turns names into features in an order in which they can be computed.
pub(super) struct Resolver<'f> {
    files: &'f [FeatureFile],
    indicators: Vec<&'static Indicator>,
    params: Vec<Vec<f64>>,
    names: Vec<String>,
    /// Every name that an input may use: where it comes from.
    known: HashMap<String, (usize, usize)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done(usize),
}

impl<'f> Resolver<'f> {
    pub(super) fn new(files: &'f [FeatureFile]) -> Result<Self, FeatureError> {
        let mut indicators = Vec::new();
        let mut params = Vec::new();
        let mut names = Vec::new();
        let mut known = HashMap::new();
        for (index, file) in files.iter().enumerate() {
            let indicator = registry::get(&file.indicator)?;
            let values = read_params(indicator, &file.params)?;
            let name = file.name.clone().unwrap_or_else(|| default_name(indicator, &values));
            if name.is_empty() || name.contains(char::is_control) {
                return Err(FeatureError::BadName { name });
            }
            for output in 0..indicator.outputs.len() {
                let column = column_name(&name, indicator, output);
                if known.insert(column.clone(), (index, output)).is_some() {
                    return Err(FeatureError::DuplicateColumn { name: column });
                }
            }
            indicators.push(indicator);
            params.push(values);
            names.push(name);
        }
        Ok(Self { files, indicators, params, names, known })
    }

    pub(super) fn resolve(&self, name: String) -> Result<FeatureSet, FeatureError> {
        let mut features = Vec::new();
        let mut marks = vec![Mark::New; self.files.len()];
        for index in 0..self.files.len() {
            self.visit(index, &mut marks, &mut Vec::new(), &mut features)?;
        }
        let mut columns = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let Mark::Done(feature) = marks[index] else { continue };
            for output in self.chosen(index, file)? {
                let name = column_name(&self.names[index], self.indicators[index], output);
                columns.push(OutputColumn { name, feature, output });
            }
        }
        Ok(FeatureSet { name, features, columns })
    }

    fn chosen(&self, index: usize, file: &FeatureFile) -> Result<Vec<usize>, FeatureError> {
        let outputs = self.indicators[index].outputs;
        let Some(wanted) = &file.outputs else { return Ok((0..outputs.len()).collect()) };
        let find = |name: &String| {
            outputs
                .iter()
                .position(|o| o == name)
                .ok_or_else(|| FeatureError::unknown("output", name, outputs.iter().copied()))
        };
        let mut chosen = Vec::new();
        for name in wanted {
            let at = find(name)?;
            if chosen.contains(&at) {
                let name = column_name(&self.names[index], self.indicators[index], at);
                return Err(FeatureError::DuplicateColumn { name });
            }
            chosen.push(at);
        }
        Ok(chosen)
    }

    /// Adds feature `index` after those that it reads; `path` is the way here.
    fn visit(
        &self,
        index: usize,
        marks: &mut [Mark],
        path: &mut Vec<usize>,
        features: &mut Vec<Feature>,
    ) -> Result<usize, FeatureError> {
        match marks[index] {
            Mark::Done(at) => return Ok(at),
            Mark::Open => return Err(self.circle(index, path)),
            Mark::New => marks[index] = Mark::Open,
        }
        path.push(index);
        let indicator = self.indicators[index];
        let mut inputs = Vec::new();
        for source in self.sources(index)? {
            inputs.push(match source {
                Input::Feature(other, output) => {
                    Input::Feature(self.visit(other, marks, path, features)?, output)
                }
                column => column,
            });
        }
        path.pop();
        let (name, params) = (self.names[index].clone(), self.params[index].clone());
        features.push(Feature { name, indicator, params, inputs });
        marks[index] = Mark::Done(features.len() - 1);
        Ok(features.len() - 1)
    }

    /// The inputs of feature `index`; features by their place in the file.
    fn sources(&self, index: usize) -> Result<Vec<Input>, FeatureError> {
        let indicator = self.indicators[index];
        let Some(names) = &self.files[index].inputs else {
            return Ok(indicator.inputs.iter().map(|&c| Input::Column(c)).collect());
        };
        let (expected, found) = (indicator.inputs.len(), names.len());
        if expected != found {
            let indicator = indicator.name.to_string();
            return Err(FeatureError::Arity { indicator, what: "inputs", expected, found });
        }
        names.iter().map(|name| self.input(name)).collect()
    }

    fn input(&self, name: &str) -> Result<Input, FeatureError> {
        if let Some(&(feature, output)) = self.known.get(name) {
            return Ok(Input::Feature(feature, output));
        }
        if let Some(column) = Column::parse(name) {
            return Ok(Input::Column(column));
        }
        let mut known: Vec<&str> = self.known.keys().map(String::as_str).collect();
        known.sort_unstable();
        let columns = Column::ALL.iter().map(|c| c.name());
        Err(FeatureError::unknown("input", name, columns.chain(known)))
    }

    fn circle(&self, index: usize, path: &[usize]) -> FeatureError {
        let start = path.iter().position(|&p| p == index).unwrap_or(0);
        let mut names: Vec<&str> = path[start..].iter().map(|&p| self.names[p].as_str()).collect();
        names.push(&self.names[index]);
        FeatureError::Circle { path: names.join(" -> ") }
    }
}

fn read_params(
    indicator: &'static Indicator,
    given: &HashMap<String, f64>,
) -> Result<Vec<f64>, FeatureError> {
    let names = || indicator.params.iter().map(|p| p.name);
    for name in given.keys() {
        if !names().any(|n| n == name) {
            return Err(FeatureError::unknown("parameter", name, names()));
        }
    }
    let value = |p: &registry::Param| given.get(p.name).copied().unwrap_or(p.default);
    let values: Vec<f64> = indicator.params.iter().map(value).collect();
    indicator.check(&values)?;
    Ok(values)
}
