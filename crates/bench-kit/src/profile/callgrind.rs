//! Callgrind's format: which function executed how many instructions, and on whose behalf.

use std::collections::BTreeMap;
use std::path::Path;

use super::{About, ProfileError, Stacks, Summary, files, flamegraph_svg, write_file};

/// Functions, the instructions of each, and those of its calls.
#[derive(Debug, Clone, Default)]
pub struct CallGraph {
    functions: BTreeMap<String, Function>,
    text: String,
}

#[derive(Debug, Clone, Default)]
struct Function {
    own: u64,
    /// Instructions of everything done for a call, by callee.
    calls: BTreeMap<String, u64>,
}

/// Stacks that have a smaller share of all are not unfolded any further.
const SHARE_MIN: f64 = 1e-5;
const DEPTH_MAX: usize = 128;

impl CallGraph {
    /// Reads a `callgrind.out`: the first event of each line, which is instructions.
    ///
    /// # Errors
    /// [`ProfileError::Format`] for a line that is none of the format's.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let mut reader = Reader::default();
        for (at, line) in text.lines().enumerate() {
            reader
                .line(line.trim_end())
                .map_err(|what| ProfileError::Format { line: at + 1, what })?;
        }
        Ok(Self { functions: reader.functions, text: text.to_owned() })
    }

    /// All instructions.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.functions.values().map(|function| function.own).sum()
    }

    /// Instructions per stack. Callgrind counts per pair of caller and callee: what a function did
    /// is shared out to its callers by what each call cost.
    #[must_use]
    pub fn stacks(&self) -> Stacks {
        let mut stacks = Stacks::default();
        let least = self.instructions() as f64 * SHARE_MIN;
        let called: std::collections::BTreeSet<&String> =
            self.functions.values().flat_map(|function| function.calls.keys()).collect();
        for name in self.functions.keys().filter(|name| !called.contains(name)) {
            self.unfold(name, 1.0, least, &mut Vec::new(), &mut stacks);
        }
        stacks
    }

    fn unfold<'a>(
        &'a self,
        name: &'a str,
        share: f64,
        least: f64,
        path: &mut Vec<&'a str>,
        stacks: &mut Stacks,
    ) {
        let Some(function) = self.functions.get(name) else { return };
        path.push(name);
        let own = (function.own as f64 * share).round() as u64;
        if own > 0 {
            stacks.add(path.iter().copied(), own);
        }
        for (callee, cost) in &function.calls {
            let cost = *cost as f64 * share;
            let all = self.functions.get(callee).map_or(0, Function::all) as f64;
            let ends = path.contains(&callee.as_str()) || path.len() == DEPTH_MAX;
            if ends || cost < least || all == 0.0 {
                let cost = cost.round() as u64;
                if cost > 0 {
                    stacks.add(path.iter().copied().chain([callee.as_str()]), cost);
                }
            } else {
                self.unfold(callee, (cost / all).min(1.0), least, path, stacks);
            }
        }
        path.pop();
    }

    /// Writes `callgrind.out`, stacks, a flamegraph of instructions and the summary to `folder`.
    ///
    /// # Errors
    /// [`ProfileError::Io`]; [`ProfileError::Format`] where nothing was counted.
    pub fn write(&self, folder: &Path, about: &About) -> Result<Summary, ProfileError> {
        if self.instructions() == 0 {
            let what = "no instructions: valgrind found no symbols, as older ones do where LLD \
                        linked; link with GNU ld";
            return Err(ProfileError::Format { line: 0, what: what.to_owned() });
        }
        let stacks = self.stacks();
        write_file(folder, files::CALLGRIND, self.text.as_bytes())?;
        write_file(folder, files::STACKS, stacks.to_string().as_bytes())?;
        write_file(folder, files::SVG, &flamegraph_svg(&stacks, about)?)?;
        let mut summary = Summary::new(about, &stacks);
        summary.total = self.instructions();
        summary.write(folder)?;
        Ok(summary)
    }
}

impl Function {
    fn all(&self) -> u64 {
        self.own + self.calls.values().sum::<u64>()
    }
}

/// Where the reader stands in the file.
#[derive(Default)]
struct Reader {
    functions: BTreeMap<String, Function>,
    /// Names are written once, and numbers from then on.
    names: BTreeMap<String, String>,
    current: String,
    callee: Option<String>,
    /// Columns before the first event.
    positions: usize,
    /// The line after `calls=` is what the call cost.
    is_call: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(positions) = line.strip_prefix("positions:") {
            self.positions = positions.split_whitespace().count();
        } else if let Some(name) = line.strip_prefix("fn=") {
            self.current = self.name(name)?;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            self.callee = Some(self.name(name)?);
        } else if line.starts_with("calls=") {
            self.is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            self.cost(line)?;
        }
        // Headers, files, objects and jumps say nothing about who spent what.
        Ok(())
    }

    fn cost(&mut self, line: &str) -> Result<(), String> {
        // A line without events costs nothing.
        let Some(cost) = line.split_whitespace().nth(self.positions.max(1)) else { return Ok(()) };
        let cost: u64 =
            cost.parse().map_err(|_| format!("expected a whole number, found `{cost}`"))?;
        let function = self.functions.entry(self.current.clone()).or_default();
        if std::mem::take(&mut self.is_call) {
            let callee = self.callee.take().ok_or("expected `cfn=` before `calls=`")?;
            *function.calls.entry(callee).or_default() += cost;
        } else {
            function.own += cost;
        }
        Ok(())
    }

    /// `(id) name` defines, `(id)` refers.
    fn name(&mut self, text: &str) -> Result<String, String> {
        let Some((id, name)) = text.split_once(')') else { return Ok(text.to_owned()) };
        if !id.starts_with('(') {
            return Ok(text.to_owned());
        }
        let name = name.trim();
        if !name.is_empty() {
            self.names.insert(id.to_owned(), name.to_owned());
        }
        self.names.get(id).cloned().ok_or_else(|| format!("`{text}` was never defined"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# callgrind format
version: 1
positions: line
events: Ir Bc
fl=(1) a.rs
fn=(1) main
1 10 1
cfn=(2) left
calls=1 5
2 70
+1 5
cfn=(3) right
calls=2 9
* 215

fn=(2)
5 20
cfn=(3)
calls=1 9
6 50

fn=(3)
9 265 12
";

    #[test]
    fn instructions_are_shared_out_to_callers_by_what_their_calls_cost() {
        let graph = CallGraph::parse(FILE).unwrap();
        assert_eq!(graph.instructions(), 300);
        let stacks = graph.stacks();
        let expected = "main 15\nmain;left 20\nmain;left;right 50\nmain;right 215\n";
        assert_eq!(stacks.to_string(), expected);
    }

    #[test]
    fn a_name_that_was_never_given_is_named() {
        let error = CallGraph::parse("fn=(7)\n").unwrap_err();
        assert_eq!(error.to_string(), "line 1: `(7)` was never defined");
    }
}
