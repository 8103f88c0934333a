//! Conditions as steps over registers, run in blocks of bars.
//!
//! A register holds one block: of numbers, or of bits, 64 bars to a word. Comparisons and crossings
//! read columns where they lie, so that only arithmetic writes numbers. What a step remembers from
//! bar to bar (the side of a crossing) lives outside, so that a span may be cut anywhere.

use super::Mistake;
use super::check::{Condition, Operand as Term, Template};
use super::scalar::{Scalar, combine};
use super::syntax::{Arithmetic, Relation};
use crate::Mask;
use crate::compare::{With, compare, equal};
use crate::strategy::cross::{Last, Operand, cross_words};

/// Bars to a block: its registers stay in L1.
const BLOCK: usize = 256;
const WORDS: usize = BLOCK / 64;

/// Registers of each kind.
const REGISTERS: usize = 8;

type Numbers = [f64; BLOCK];
type Bits = [u64; WORDS];

/// A number that a step reads.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    /// A column of the features, by its place.
    Column(usize),
    /// A register of numbers.
    Register(usize),
    /// The same at every bar.
    Level(Scalar),
}

/// One step; `to` and `with` are registers.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Arithmetic {
        operator: Arithmetic,
        sides: [Source; 2],
        to: usize,
    },
    /// The first side is never a level.
    Compare {
        relation: Relation,
        sides: [Source; 2],
        to: usize,
    },
    /// The same at every bar.
    Fixed {
        relation: Relation,
        sides: [Scalar; 2],
        to: usize,
    },
    Cross {
        crossing: Crossing,
        to: usize,
    },
    Not {
        to: usize,
    },
    And {
        to: usize,
        with: usize,
    },
    Or {
        to: usize,
        with: usize,
    },
}

/// Where one number crosses another; the first side is never a level.
#[derive(Debug, Clone, PartialEq)]
struct Crossing {
    is_above: bool,
    sides: [Source; 2],
    /// Which side is remembered here.
    memory: usize,
}

/// The steps of one condition, whose answer is in register 0; none is never.
#[derive(Debug, Clone, PartialEq, Default)]
struct Program {
    steps: Vec<Step>,
}

/// An entry and an exit.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::strategy) struct Pair(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Both sides of one crossing of columns, which one call of the kernel finds.
    Crossing(Crossing),
    Apart([Program; 2]),
}

/// What conditions become together: the columns they read and the sides they remember.
#[derive(Debug, Default)]
pub(in crate::strategy) struct Planner {
    pub(in crate::strategy) columns: Vec<Template>,
    pub(in crate::strategy) crossings: usize,
}

impl Planner {
    /// The steps for an entry and an exit; `None` is never.
    ///
    /// # Errors
    /// The place (0 or 1) of a condition that needs more registers than there are.
    pub(in crate::strategy) fn pair(
        &mut self,
        conditions: [Option<&Condition>; 2],
    ) -> Result<Pair, (usize, Mistake)> {
        let mut programs = [Program::default(), Program::default()];
        for (at, condition) in conditions.into_iter().enumerate() {
            if let Some(condition) = condition {
                self.condition(condition, 0, &mut programs[at].steps)
                    .map_err(|mistake| (at, mistake))?;
            }
        }
        Ok(Pair(match whole_crossing(&programs) {
            Some(crossing) => Kind::Crossing(crossing),
            None => Kind::Apart(programs),
        }))
    }

    fn condition(
        &mut self,
        condition: &Condition,
        to: usize,
        steps: &mut Vec<Step>,
    ) -> Result<(), Mistake> {
        check_depth(to)?;
        let step = match condition {
            Condition::Compare(relation, [Term::Scalar(left), Term::Scalar(right)]) => {
                Step::Fixed { relation: *relation, sides: [left.clone(), right.clone()], to }
            }
            Condition::Compare(relation, sides) => {
                let (sides, is_mirrored) = self.sides(sides, steps)?;
                let relation = if is_mirrored { relation.mirrored() } else { *relation };
                Step::Compare { relation, sides, to }
            }
            Condition::Cross { is_above, sides } => {
                let (sides, is_mirrored) = self.sides(sides, steps)?;
                self.crossings += 1;
                let memory = self.crossings - 1;
                Step::Cross {
                    crossing: Crossing { is_above: is_above ^ is_mirrored, sides, memory },
                    to,
                }
            }
            Condition::Not(of) => {
                self.condition(of, to, steps)?;
                Step::Not { to }
            }
            Condition::And(sides) | Condition::Or(sides) => {
                self.condition(&sides[0], to, steps)?;
                self.condition(&sides[1], to + 1, steps)?;
                let with = to + 1;
                match condition {
                    Condition::And(_) => Step::And { to, with },
                    _ => Step::Or { to, with },
                }
            }
        };
        steps.push(step);
        Ok(())
    }

    /// Both sides, exchanged where the first is a level.
    fn sides(
        &mut self,
        sides: &[Term; 2],
        steps: &mut Vec<Step>,
    ) -> Result<([Source; 2], bool), Mistake> {
        let left = self.number(&sides[0], 0, steps)?;
        let right = self.number(&sides[1], free_after(&left, 0), steps)?;
        Ok(match left {
            Source::Level(_) => ([right, left], true),
            _ => ([left, right], false),
        })
    }

    /// Steps that leave a number in register `to`, unless it needs none.
    fn number(&mut self, term: &Term, to: usize, steps: &mut Vec<Step>) -> Result<Source, Mistake> {
        let template = match term {
            Term::Scalar(scalar) => return Ok(Source::Level(scalar.clone())),
            Term::Series(template) => template,
        };
        let Template::Arithmetic(operator, sides) = template else {
            return Ok(Source::Column(self.column(template)));
        };
        check_depth(to)?;
        let left = self.number(&sides[0], to, steps)?;
        let right = self.number(&sides[1], free_after(&left, to), steps)?;
        steps.push(Step::Arithmetic { operator: *operator, sides: [left, right], to });
        Ok(Source::Register(to))
    }

    fn column(&mut self, template: &Template) -> usize {
        let known = self.columns.iter().position(|known| known == template);
        known.unwrap_or_else(|| {
            self.columns.push(template.clone());
            self.columns.len() - 1
        })
    }
}

fn free_after(source: &Source, to: usize) -> usize {
    to + usize::from(matches!(source, Source::Register(_)))
}

fn check_depth(register: usize) -> Result<(), Mistake> {
    if register < REGISTERS {
        return Ok(());
    }
    let message = format!("the right sides nest deeper than {REGISTERS}: take some to the left");
    Err(Mistake { span: 0..0, message })
}

/// The crossing that the one program enters and the other leaves by.
fn whole_crossing(programs: &[Program; 2]) -> Option<Crossing> {
    let [entry, exit] = programs;
    let (&[Step::Cross { crossing: ref a, .. }], &[Step::Cross { crossing: ref b, .. }]) =
        (entry.steps.as_slice(), exit.steps.as_slice())
    else {
        return None;
    };
    let is_one = a.sides == b.sides && a.is_above != b.is_above;
    let is_plain = !a.sides.iter().any(|side| matches!(side, Source::Register(_)));
    (is_one && is_plain).then(|| a.clone())
}

/// What the steps read: the span's columns and the parameters' values.
#[derive(Clone, Copy)]
pub(in crate::strategy) struct Given<'a> {
    pub(in crate::strategy) columns: &'a [&'a [f64]],
    pub(in crate::strategy) values: &'a [f64],
    pub(in crate::strategy) bars: usize,
}

impl Pair {
    /// Writes the bits of the entry and of the exit.
    pub(in crate::strategy) fn run(
        &self,
        given: Given<'_>,
        memory: &mut [Last],
        entry: &mut Mask,
        exit: &mut Mask,
    ) {
        entry.reset(given.bars);
        exit.reset(given.bars);
        let (entry, exit) = (entry.words_mut(), exit.words_mut());
        match &self.0 {
            Kind::Crossing(Crossing { is_above, sides, memory: at }) => {
                let (above, below) = if *is_above { (entry, exit) } else { (exit, entry) };
                let [left, right] = sides.each_ref().map(|side| given.whole(side));
                cross_words(column(left), right, &mut memory[*at], above, below);
            }
            Kind::Apart(programs) => {
                programs[0].run(given, memory, entry);
                programs[1].run(given, memory, exit);
            }
        }
    }
}

impl<'a> Given<'a> {
    fn whole(&self, source: &Source) -> Operand<'a> {
        match source {
            Source::Column(at) => Operand::Column(self.columns[*at]),
            Source::Level(level) => Operand::Level(level.value(self.values)),
            Source::Register(_) => unreachable!("a whole crossing reads columns and levels"),
        }
    }
}

/// The series of a side that is never a level.
fn column(side: Operand<'_>) -> &[f64] {
    match side {
        Operand::Column(column) => column,
        Operand::Level(_) => unreachable!("a level never comes first"),
    }
}

impl Program {
    fn run(&self, given: Given<'_>, memory: &mut [Last], out: &mut [u64]) {
        if self.steps.is_empty() {
            return;
        }
        let has_numbers = self.steps.iter().any(|step| matches!(step, Step::Arithmetic { .. }));
        if has_numbers {
            self.blocks(given, memory, &mut [[0.0; BLOCK]; REGISTERS], out);
        } else {
            self.blocks(given, memory, &mut [], out);
        }
    }

    fn blocks(
        &self,
        given: Given<'_>,
        memory: &mut [Last],
        numbers: &mut [Numbers],
        out: &mut [u64],
    ) {
        let mut bits = [[0; WORDS]; REGISTERS];
        for (at, out) in out.chunks_mut(WORDS).enumerate() {
            let from = at * BLOCK;
            let block = Block { given, from, bars: (given.bars - from).min(BLOCK) };
            for step in &self.steps {
                block.step(step, memory, numbers, &mut bits);
            }
            out.copy_from_slice(&bits[0][..out.len()]);
        }
    }
}

/// Some bars of the span.
struct Block<'a> {
    given: Given<'a>,
    from: usize,
    bars: usize,
}

impl Block<'_> {
    fn step(
        &self,
        step: &Step,
        memory: &mut [Last],
        numbers: &mut [Numbers],
        bits: &mut [Bits; REGISTERS],
    ) {
        match step {
            Step::Arithmetic { operator, sides, to } => {
                let mut result = [0.0; BLOCK];
                let [left, right] = self.sides(sides, numbers);
                combine(*operator, left, right, &mut result[..self.bars]);
                numbers[*to] = result;
            }
            Step::Compare { relation, sides, to } => {
                let [left, right] = self.sides(sides, numbers);
                self.relate(*relation, column(left), right, &mut bits[*to]);
            }
            Step::Fixed { relation, sides, to } => {
                let [left, right] = sides.each_ref().map(|side| side.value(self.given.values));
                let holds = relation.holds(left, right);
                bits[*to] = std::array::from_fn(|at| if holds { self.full(at) } else { 0 });
            }
            Step::Cross { crossing: Crossing { is_above, sides, memory: at }, to } => {
                let [left, right] = self.sides(sides, numbers);
                let (mut above, mut below) = ([0; WORDS], [0; WORDS]);
                let words = self.bars.div_ceil(64);
                let (rises, falls) = (&mut above[..words], &mut below[..words]);
                cross_words(column(left), right, &mut memory[*at], rises, falls);
                bits[*to] = if *is_above { above } else { below };
            }
            Step::Not { to } => {
                bits[*to] = std::array::from_fn(|at| !bits[*to][at] & self.full(at));
            }
            Step::And { to, with } => {
                bits[*to] = std::array::from_fn(|at| bits[*to][at] & bits[*with][at]);
            }
            Step::Or { to, with } => {
                bits[*to] = std::array::from_fn(|at| bits[*to][at] | bits[*with][at]);
            }
        }
    }

    fn sides<'s>(&'s self, sides: &[Source; 2], numbers: &'s [Numbers]) -> [Operand<'s>; 2] {
        sides.each_ref().map(|side| match side {
            Source::Column(at) => {
                Operand::Column(&self.given.columns[*at][self.from..self.from + self.bars])
            }
            Source::Register(at) => Operand::Column(&numbers[*at][..self.bars]),
            Source::Level(level) => Operand::Level(level.value(self.given.values)),
        })
    }

    /// The bits of the bars in a word: all, but in the last.
    fn full(&self, word: usize) -> u64 {
        match self.bars.saturating_sub(word * 64) {
            0 => 0,
            bars @ 1..64 => u64::MAX >> (64 - bars),
            _ => u64::MAX,
        }
    }

    fn relate(&self, relation: Relation, left: &[f64], right: Operand<'_>, out: &mut Bits) {
        let (mut above, mut below) = ([0; WORDS], [0; WORDS]);
        let words = self.bars.div_ceil(64);
        let with = match right {
            Operand::Column(column) => With::Column(column),
            Operand::Level(level) => With::Level(level),
        };
        compare(left, with, &mut above[..words], &mut below[..words]);
        // Few words hold a tie, or ask for it.
        let equal = |word: usize| {
            let is_untied = above[word] | below[word] == self.full(word);
            if is_untied || word >= words { 0 } else { equal(left, with, word * 64) }
        };
        *out = std::array::from_fn(|word| match relation {
            Relation::Less => below[word],
            Relation::LessEqual => below[word] | equal(word),
            Relation::Greater => above[word],
            Relation::GreaterEqual => above[word] | equal(word),
            Relation::Equal => equal(word),
            Relation::NotEqual => above[word] | below[word],
        });
    }
}
