//! Names, types and argument counts; the result cannot fail but for values of parameters.

use features::registry::{self, Column, Indicator};

use super::Mistake;
use super::scalar::Scalar;
use super::syntax::{Arithmetic, Binary, Kind, Node, Relation, Word, parse};
use crate::error::suggest;
use crate::strategy::Parameter;

/// A number per bar whose parameters are still open.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::strategy) enum Template {
    Price(Column),
    Indicator { of: &'static str, inputs: Vec<Template>, params: Vec<Scalar>, output: usize },
    Shift { of: Box<Template>, bars: Scalar },
    Arithmetic(Arithmetic, Box<[Operand; 2]>),
}

/// A number, the same at every bar or one per bar.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::strategy) enum Operand {
    Scalar(Scalar),
    Series(Template),
}

/// True or false at every bar.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::strategy) enum Condition {
    Compare(Relation, [Operand; 2]),
    /// Where the first crosses the second.
    Cross {
        is_above: bool,
        sides: [Operand; 2],
    },
    Not(Box<Condition>),
    And(Box<[Condition; 2]>),
    Or(Box<[Condition; 2]>),
}

enum Value {
    Number(Operand),
    Condition(Condition),
}

/// Functions that are not indicators.
const FUNCTIONS: [&str; 3] = ["cross_above", "cross_below", "shift"];

/// The columns that an expression may read by name.
const PRICES: [Column; 5] =
    [Column::Open, Column::High, Column::Low, Column::Close, Column::Volume];

/// Whether `name` means something already, so that no parameter can have it.
pub(in crate::strategy) fn is_taken(name: &str) -> bool {
    matches!(name, "and" | "or" | "not")
        || FUNCTIONS.contains(&name)
        || Column::parse(name).is_some()
        || registry::find(name).is_some()
}

/// Checks expressions against the parameters of their strategy.
pub(in crate::strategy) struct Checker<'a> {
    parameters: &'a [Parameter],
    /// Which parameters an expression has named so far.
    pub(in crate::strategy) used: Vec<bool>,
}

impl<'a> Checker<'a> {
    pub(in crate::strategy) fn new(parameters: &'a [Parameter]) -> Self {
        Self { parameters, used: vec![false; parameters.len()] }
    }

    /// Reads an expression that is true or false at every bar.
    pub(in crate::strategy) fn condition(&mut self, text: &str) -> Result<Condition, Mistake> {
        let node = parse(text)?;
        self.as_condition(&node)
    }

    fn value(&mut self, node: &Node) -> Result<Value, Mistake> {
        Ok(match &node.kind {
            Kind::Number(value) => number(Scalar::Number(*value)),
            Kind::Name(name) => Value::Number(self.named(name, node)?),
            Kind::Negate(of) => {
                let sides = [Operand::Scalar(Scalar::Number(-1.0)), self.as_number(of)?];
                Value::Number(arithmetic(Arithmetic::Multiply, sides))
            }
            Kind::Not(of) => Value::Condition(Condition::Not(Box::new(self.as_condition(of)?))),
            Kind::Binary(operator, sides) => self.binary(*operator, sides)?,
            Kind::Call { name, arguments, output } => {
                self.call(node, name, arguments, output.as_ref())?
            }
        })
    }

    fn binary(&mut self, operator: Binary, sides: &[Node; 2]) -> Result<Value, Mistake> {
        let [left, right] = sides;
        Ok(match operator {
            Binary::And | Binary::Or => {
                let sides = Box::new([self.as_condition(left)?, self.as_condition(right)?]);
                let is_and = operator == Binary::And;
                Value::Condition(if is_and { Condition::And(sides) } else { Condition::Or(sides) })
            }
            Binary::Compare(relation) => {
                let sides = [self.as_number(left)?, self.as_number(right)?];
                Value::Condition(Condition::Compare(relation, sides))
            }
            Binary::Arithmetic(operator) => {
                let sides = [self.as_number(left)?, self.as_number(right)?];
                Value::Number(arithmetic(operator, sides))
            }
        })
    }

    fn as_condition(&mut self, node: &Node) -> Result<Condition, Mistake> {
        match self.value(node)? {
            Value::Condition(condition) => Ok(condition),
            Value::Number(_) => Err(Mistake {
                span: node.span.clone(),
                message: "this is a number where a condition is needed: compare it with something"
                    .to_owned(),
            }),
        }
    }

    fn as_number(&mut self, node: &Node) -> Result<Operand, Mistake> {
        match self.value(node)? {
            Value::Number(operand) => Ok(operand),
            Value::Condition(_) => Err(Mistake {
                span: node.span.clone(),
                message: "this is true or false where a number is needed".to_owned(),
            }),
        }
    }

    fn named(&mut self, name: &str, node: &Node) -> Result<Operand, Mistake> {
        if let Some(at) = self.parameters.iter().position(|known| known.name == name) {
            self.used[at] = true;
            return Ok(Operand::Scalar(Scalar::Parameter(at)));
        }
        if let Some(column) = PRICES.into_iter().find(|column| column.name() == name) {
            return Ok(Operand::Series(Template::Price(column)));
        }
        let fail = |message| Err(Mistake { span: node.span.clone(), message });
        if let Some(indicator) = registry::find(name) {
            return fail(format!("'{name}' is an indicator: write {}", usage(indicator)));
        }
        if FUNCTIONS.contains(&name) {
            return fail(format!("'{name}' is a function: write {name}(..., ...)"));
        }
        let parameters = self.parameters.iter().map(|parameter| &*parameter.name);
        let known: Vec<&str> = parameters.chain(PRICES.map(Column::name)).collect();
        fail(unknown("name", name, &known))
    }

    fn call(
        &mut self,
        node: &Node,
        name: &Word,
        arguments: &[Node],
        output: Option<&Word>,
    ) -> Result<Value, Mistake> {
        if let Some(indicator) = registry::find(&name.text) {
            let template = self.indicator(indicator, node, arguments, output)?;
            return Ok(Value::Number(Operand::Series(template)));
        }
        if let Some(output) = output {
            let message = format!("'{}' has no outputs to choose from", name.text);
            return Err(Mistake { span: output.span.clone(), message });
        }
        match name.text.as_str() {
            "cross_above" => self.cross(true, node, arguments),
            "cross_below" => self.cross(false, node, arguments),
            "shift" => self.shift(node, arguments),
            other => {
                let indicators = registry::all().map(|indicator| indicator.name);
                let known: Vec<&str> = indicators.chain(FUNCTIONS).collect();
                let message = unknown("indicator or function", other, &known);
                Err(Mistake { span: name.span.clone(), message })
            }
        }
    }

    fn cross(&mut self, is_above: bool, node: &Node, arguments: &[Node]) -> Result<Value, Mistake> {
        let [left, right] = two(node, arguments, "two numbers, what crosses and what is crossed")?;
        let sides = [self.as_number(left)?, self.as_number(right)?];
        if sides.iter().all(|side| matches!(side, Operand::Scalar(_))) {
            let message = "neither side changes from bar to bar: nothing can cross".to_owned();
            return Err(Mistake { span: node.span.clone(), message });
        }
        Ok(Value::Condition(Condition::Cross { is_above, sides }))
    }

    fn shift(&mut self, node: &Node, arguments: &[Node]) -> Result<Value, Mistake> {
        let [of, by] = two(node, arguments, "what to shift and by how many bars")?;
        let value = self.value(of)?;
        let Operand::Scalar(bars) = self.as_number(by)? else {
            let message = "bars to shift by must be the same at every bar".to_owned();
            return Err(Mistake { span: by.span.clone(), message });
        };
        if let Scalar::Number(number) = &bars
            && (*number < 0.0 || number.fract() != 0.0)
        {
            let message = if *number < 0.0 {
                "a shift below 0 would look ahead: it must be a whole number of at least 0"
            } else {
                "a shift must be a whole number of bars"
            };
            return Err(Mistake { span: by.span.clone(), message: message.to_owned() });
        }
        match value {
            Value::Number(Operand::Scalar(_)) => Err(Mistake {
                span: of.span.clone(),
                message: "this is the same at every bar: there is nothing to shift".to_owned(),
            }),
            Value::Number(operand) => Ok(Value::Number(operand.shifted(&bars))),
            Value::Condition(condition) => Ok(Value::Condition(condition.shifted(&bars))),
        }
    }

    /// Series come first and are its inputs, all or none; numbers follow and are its parameters,
    /// whose last may be left out.
    fn indicator(
        &mut self,
        indicator: &'static Indicator,
        node: &Node,
        arguments: &[Node],
        output: Option<&Word>,
    ) -> Result<Template, Mistake> {
        let (mut inputs, mut params) = (Vec::new(), Vec::new());
        for argument in arguments {
            match self.as_number(argument)? {
                Operand::Scalar(scalar) => params.push((scalar, argument)),
                Operand::Series(template) if params.is_empty() => inputs.push(template),
                Operand::Series(_) => {
                    let message = format!(
                        "this changes from bar to bar where {} takes a parameter: write {}",
                        indicator.name,
                        usage(indicator)
                    );
                    return Err(Mistake { span: argument.span.clone(), message });
                }
            }
        }
        let own = |&column: &Column| Template::Price(column);
        if inputs.is_empty() {
            inputs = indicator.inputs.iter().map(own).collect();
        } else {
            // No expression can name the day: it is always the bars' own.
            inputs.extend(indicator.inputs.iter().filter(|c| **c == Column::Day).map(own));
        }
        let given = arguments.len() - params.len();
        let fits = inputs.len() == indicator.inputs.len() && params.len() <= indicator.params.len();
        if !fits {
            let message = format!(
                "{} takes {} and {}, not {} and {}: write {}",
                indicator.name,
                count(named_inputs(indicator).count(), "series"),
                count(indicator.params.len(), "number"),
                given,
                params.len(),
                usage(indicator)
            );
            return Err(Mistake { span: node.span.clone(), message });
        }
        let params = with_defaults(indicator, params)?;
        let output = chosen(indicator, node, output)?;
        Ok(Template::Indicator { of: indicator.name, inputs, params, output })
    }
}

/// The parameters given and the defaults of those left out; numbers are checked at once.
fn with_defaults(
    indicator: &'static Indicator,
    given: Vec<(Scalar, &Node)>,
) -> Result<Vec<Scalar>, Mistake> {
    let mut values = indicator.defaults();
    let mut params: Vec<Scalar> = values.iter().map(|&value| Scalar::Number(value)).collect();
    for (at, (scalar, argument)) in given.into_iter().enumerate() {
        if let Scalar::Number(number) = &scalar {
            values[at] = *number;
            indicator.check(&values).map_err(|error| Mistake {
                span: argument.span.clone(),
                message: error.to_string(),
            })?;
        }
        params[at] = scalar;
    }
    Ok(params)
}

fn chosen(
    indicator: &'static Indicator,
    node: &Node,
    output: Option<&Word>,
) -> Result<usize, Mistake> {
    let names = indicator.outputs;
    match output {
        None if names.len() == 1 => Ok(0),
        None => Err(Mistake {
            span: node.span.clone(),
            message: format!(
                "{} has {} outputs: write {}(...).{} (there are: {})",
                indicator.name,
                names.len(),
                indicator.name,
                names[0],
                names.join(", ")
            ),
        }),
        Some(word) => names.iter().position(|name| *name == word.text).ok_or_else(|| Mistake {
            span: word.span.clone(),
            message: unknown(&format!("output of {}", indicator.name), &word.text, names),
        }),
    }
}

impl Operand {
    fn shifted(self, bars: &Scalar) -> Self {
        match self {
            Self::Scalar(_) => self,
            Self::Series(template) => Self::Series(template.shifted(bars)),
        }
    }
}

impl Template {
    /// The same some bars earlier: arithmetic is left in place and what it reads is shifted, so
    /// that a shift needs no memory of its own.
    fn shifted(self, by: &Scalar) -> Self {
        match self {
            Self::Arithmetic(operator, sides) => {
                Self::Arithmetic(operator, Box::new(sides.map(|side| side.shifted(by))))
            }
            Self::Shift { of, bars } => {
                let sides = Box::new([bars, by.clone()]);
                Self::Shift { of, bars: Scalar::Arithmetic(Arithmetic::Add, sides) }
            }
            other => Self::Shift { of: Box::new(other), bars: by.clone() },
        }
    }
}

impl Condition {
    fn shifted(self, bars: &Scalar) -> Self {
        let both = |sides: Box<[Self; 2]>| Box::new(sides.map(|side| side.shifted(bars)));
        match self {
            Self::Compare(relation, sides) => {
                Self::Compare(relation, sides.map(|side| side.shifted(bars)))
            }
            Self::Cross { is_above, sides } => {
                Self::Cross { is_above, sides: sides.map(|side| side.shifted(bars)) }
            }
            Self::Not(of) => Self::Not(Box::new(of.shifted(bars))),
            Self::And(sides) => Self::And(both(sides)),
            Self::Or(sides) => Self::Or(both(sides)),
        }
    }

    /// Whether the parameters alone decide it.
    pub(in crate::strategy) fn is_of_values(&self) -> bool {
        match self {
            Self::Compare(_, sides) => sides.iter().all(|side| matches!(side, Operand::Scalar(_))),
            Self::Cross { .. } => false,
            Self::Not(of) => of.is_of_values(),
            Self::And(sides) | Self::Or(sides) => sides.iter().all(Self::is_of_values),
        }
    }

    /// Whether it holds, where the parameters alone decide.
    pub(in crate::strategy) fn of_values(&self, values: &[f64]) -> Option<bool> {
        match self {
            Self::Compare(relation, [Operand::Scalar(left), Operand::Scalar(right)]) => {
                Some(relation.holds(left.value(values), right.value(values)))
            }
            Self::Compare(..) | Self::Cross { .. } => None,
            Self::Not(of) => of.of_values(values).map(|holds| !holds),
            Self::And(sides) => Some(sides[0].of_values(values)? & sides[1].of_values(values)?),
            Self::Or(sides) => Some(sides[0].of_values(values)? | sides[1].of_values(values)?),
        }
    }
}

fn number(scalar: Scalar) -> Value {
    Value::Number(Operand::Scalar(scalar))
}

fn arithmetic(operator: Arithmetic, sides: [Operand; 2]) -> Operand {
    match sides {
        [Operand::Scalar(Scalar::Number(left)), Operand::Scalar(Scalar::Number(right))] => {
            Operand::Scalar(Scalar::Number(operator.apply(left, right)))
        }
        [Operand::Scalar(left), Operand::Scalar(right)] => {
            Operand::Scalar(Scalar::Arithmetic(operator, Box::new([left, right])))
        }
        sides => Operand::Series(Template::Arithmetic(operator, Box::new(sides))),
    }
}

fn two<'n>(node: &Node, arguments: &'n [Node], what: &str) -> Result<&'n [Node; 2], Mistake> {
    arguments.try_into().map_err(|_| Mistake {
        span: node.span.clone(),
        message: format!("this takes 2 arguments ({what}), not {}", arguments.len()),
    })
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 || what.ends_with('s') { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The columns that an expression may name.
fn named_inputs(indicator: &Indicator) -> impl Iterator<Item = Column> {
    indicator.inputs.iter().copied().filter(|&column| column != Column::Day)
}

/// How an indicator is called, such as `rsi(close, window)`.
fn usage(indicator: &Indicator) -> String {
    let inputs = named_inputs(indicator).map(Column::name);
    let words: Vec<&str> = inputs.chain(indicator.params.iter().map(|param| param.name)).collect();
    format!("{}({})", indicator.name, words.join(", "))
}

fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    match suggest(name, known.iter().copied()) {
        Some(nearest) => format!("unknown {kind} '{name}': did you mean '{nearest}'?"),
        None if known.len() <= 12 => {
            format!("unknown {kind} '{name}': there are {}", known.join(", "))
        }
        None => format!("unknown {kind} '{name}'"),
    }
}
