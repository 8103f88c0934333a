//! Text to tree.
//!
//! ```text
//! or         = and ("or" and)*
//! and        = not ("and" not)*
//! not        = "not" not | comparison
//! comparison = sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)?
//! sum        = product (("+" | "-") product)*
//! product    = factor (("*" | "/") factor)*
//! factor     = "-" factor | number | name | call | "(" or ")"
//! call       = name "(" (or ("," or)*)? ")" ("." name)?
//! ```

use std::ops::Range;

use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, delimited, opt, repeat};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{one_of, take_while};

use super::Mistake;

/// Words an expression may have: a bound on the depth of its tree.
const MAX_TOKENS: usize = 1_000;

/// Parentheses, calls and signs within each other.
const MAX_DEPTH: usize = 64;

/// A part of an expression and where it stands in its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Name(String),
    Call { name: Word, arguments: Vec<Node>, output: Option<Word> },
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Compare(Relation),
    Arithmetic(Arithmetic),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::strategy) enum Relation {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// How two numbers make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arithmetic {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
    /// The quotient, as IEEE 754 has it: 1 / 0 is infinite, 0 / 0 is NaN.
    Divide,
}

/// Reads a whole expression.
///
/// # Errors
/// [`Mistake`] at the first word that does not fit.
pub(super) fn parse(text: &str) -> Result<Node, Mistake> {
    let tokens = tokens(text)?;
    let mut parser = Reader { tokens: &tokens, at: 0, end: text.trim_end().len(), depth: 0 };
    let node = parser.binary(LOWEST)?;
    match parser.peek() {
        None => Ok(node),
        Some(Token::Symbol(")")) => Err(parser.mistake("this ')' closes nothing")),
        Some(_) => Err(parser.mistake("expected an operator (and, or, <, +, ...) or the end")),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Number(f64),
    Word(&'t str),
    Symbol(&'t str),
}

type Input<'t> = LocatingSlice<&'t str>;

fn number<'t>(input: &mut Input<'t>) -> winnow::Result<Token<'t>> {
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    (digit1, opt(('.', digit1)), opt(exponent))
        .take()
        .parse_to()
        .map(Token::Number)
        .parse_next(input)
}

fn word<'t>(input: &mut Input<'t>) -> winnow::Result<Token<'t>> {
    (one_of(('a'..='z', 'A'..='Z', '_')), take_while(0.., ('a'..='z', 'A'..='Z', '0'..='9', '_')))
        .take()
        .map(Token::Word)
        .parse_next(input)
}

fn symbol<'t>(input: &mut Input<'t>) -> winnow::Result<Token<'t>> {
    let long = alt(("<=", ">=", "==", "!="));
    let short = one_of(['<', '>', '+', '-', '*', '/', '(', ')', ',', '.']).take();
    alt((long, short)).map(Token::Symbol).parse_next(input)
}

fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Mistake> {
    let mut input = LocatingSlice::new(text);
    let token = delimited(multispace0, alt((number, word, symbol)).with_span(), multispace0);
    let read: winnow::Result<Vec<_>> = repeat(0.., token).parse_next(&mut input);
    let tokens = read.unwrap_or_default();
    if let Some(strange) = input.chars().next() {
        let at = text.len() - input.len();
        let message = match strange {
            '=' => "'=' is no operator: write '==' to compare".to_owned(),
            '&' | '|' | '!' => format!("'{strange}' is no operator: write and, or, not"),
            '"' | '\'' => "an expression has no strings".to_owned(),
            _ => format!("'{strange}' is no part of an expression"),
        };
        return Err(Mistake { span: at..at + strange.len_utf8(), message });
    }
    if tokens.len() > MAX_TOKENS {
        let span = tokens[MAX_TOKENS].1.clone();
        let message = format!("the expression has more than {MAX_TOKENS} words");
        return Err(Mistake { span, message });
    }
    Ok(tokens)
}

/// How tightly operators bind: the lowest level, that of `not`, and that of a comparison.
const LOWEST: u8 = 1;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;

fn operator(token: &Token<'_>) -> Option<(Binary, u8)> {
    use Binary::{And, Compare, Or};
    let arithmetic = |of, level| Some((Binary::Arithmetic(of), level));
    match token {
        Token::Word("or") => Some((Or, LOWEST)),
        Token::Word("and") => Some((And, 2)),
        Token::Symbol("<") => Some((Compare(Relation::Less), COMPARISON)),
        Token::Symbol("<=") => Some((Compare(Relation::LessEqual), COMPARISON)),
        Token::Symbol(">") => Some((Compare(Relation::Greater), COMPARISON)),
        Token::Symbol(">=") => Some((Compare(Relation::GreaterEqual), COMPARISON)),
        Token::Symbol("==") => Some((Compare(Relation::Equal), COMPARISON)),
        Token::Symbol("!=") => Some((Compare(Relation::NotEqual), COMPARISON)),
        Token::Symbol("+") => arithmetic(Arithmetic::Add, 5),
        Token::Symbol("-") => arithmetic(Arithmetic::Subtract, 5),
        Token::Symbol("*") => arithmetic(Arithmetic::Multiply, 6),
        Token::Symbol("/") => arithmetic(Arithmetic::Divide, 6),
        _ => None,
    }
}

/// Precedence climbing over the tokens.
struct Reader<'t> {
    tokens: &'t [(Token<'t>, Range<usize>)],
    at: usize,
    end: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Where the next token stands, or the place after the last.
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, span)| span.clone())
    }

    fn mistake(&self, message: &str) -> Mistake {
        Mistake { span: self.here(), message: message.to_owned() }
    }

    fn takes(&mut self, token: &Token<'_>) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn needs(&mut self, symbol: &'static str, why: &str) -> Result<usize, Mistake> {
        let end = self.here().end;
        if self.takes(&Token::Symbol(symbol)) { Ok(end) } else { Err(self.mistake(why)) }
    }

    /// Operands joined by operators that bind at least as tightly as `level`.
    fn binary(&mut self, level: u8) -> Result<Node, Mistake> {
        let mut left = self.prefixed(level)?;
        while let Some((operator, binds)) = self.peek().and_then(operator) {
            if binds < level {
                break;
            }
            self.at += 1;
            let right = self.binary(binds + 1)?;
            let is_chain = binds == COMPARISON
                && self.peek().and_then(self::operator).is_some_and(|next| next.1 == COMPARISON);
            if is_chain {
                return Err(self.mistake("comparisons do not chain: write a < b and b < c"));
            }
            let span = left.span.start..right.span.end;
            left = Node { span, kind: Kind::Binary(operator, Box::new([left, right])) };
        }
        Ok(left)
    }

    fn prefixed(&mut self, level: u8) -> Result<Node, Mistake> {
        let start = self.here().start;
        if self.takes(&Token::Word("not")) {
            if level > NOT {
                self.at -= 1;
                return Err(self.mistake("'not' needs parentheses here: (not ...)"));
            }
            let of = self.deeper(|parser| parser.binary(NOT))?;
            return Ok(Node { span: start..of.span.end, kind: Kind::Not(Box::new(of)) });
        }
        self.factor()
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Node, Mistake>,
    ) -> Result<Node, Mistake> {
        if self.depth == MAX_DEPTH {
            return Err(self.mistake("the expression is nested too deeply"));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn factor(&mut self) -> Result<Node, Mistake> {
        let span = self.here();
        let Some(token) = self.peek() else {
            return Err(self.mistake("expected a number, a name or '(' after this"));
        };
        self.at += 1;
        match token {
            Token::Number(value) if value.is_finite() => {
                Ok(Node { span, kind: Kind::Number(*value) })
            }
            Token::Number(_) => {
                Err(Mistake { span, message: "this number is too large".to_owned() })
            }
            Token::Symbol("-") => {
                let of = self.deeper(Self::factor)?;
                Ok(Node { span: span.start..of.span.end, kind: Kind::Negate(Box::new(of)) })
            }
            Token::Symbol("(") => {
                let inner = self.deeper(|parser| parser.binary(LOWEST))?;
                let end = self.needs(")", "expected ')'")?;
                Ok(Node { span: span.start..end, ..inner })
            }
            Token::Word(text) if !matches!(*text, "and" | "or" | "not") => {
                let word = Word { text: (*text).to_owned(), span: span.clone() };
                self.named(word)
            }
            _ => {
                self.at -= 1;
                Err(self.mistake("expected a number, a name or '('"))
            }
        }
    }

    /// A name, or a call where '(' follows it.
    fn named(&mut self, name: Word) -> Result<Node, Mistake> {
        if !self.takes(&Token::Symbol("(")) {
            return Ok(Node { span: name.span, kind: Kind::Name(name.text) });
        }
        let mut arguments = Vec::new();
        if self.peek() != Some(&Token::Symbol(")")) {
            arguments.push(self.deeper(|parser| parser.binary(LOWEST))?);
            while self.takes(&Token::Symbol(",")) {
                arguments.push(self.deeper(|parser| parser.binary(LOWEST))?);
            }
        }
        let mut end = self.needs(")", "expected ',' or ')'")?;
        let mut output = None;
        if self.takes(&Token::Symbol(".")) {
            let span = self.here();
            let Some(Token::Word(text)) = self.peek() else {
                return Err(self.mistake("expected the name of an output after '.'"));
            };
            self.at += 1;
            end = span.end;
            output = Some(Word { text: (*text).to_owned(), span });
        }
        Ok(Node { span: name.span.start..end, kind: Kind::Call { name, arguments, output } })
    }
}
