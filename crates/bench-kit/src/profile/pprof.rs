//! Google's `profile.proto`, written by hand: seven small messages need no code generator.
//!
//! Field numbers are those of <https://github.com/google/pprof/blob/main/proto/profile.proto>.

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use super::cpu::{FREQUENCY_HZ, Samples};
use super::symbols::Frame;

const PERIOD_NS: u64 = 1_000_000_000 / FREQUENCY_HZ as u64;

/// The bytes of a `Profile`, not compressed.
pub(super) fn encode(samples: &Samples) -> Vec<u8> {
    let mut tables = Tables::new();
    let mut body = Message::default();
    let value_type = |tables: &mut Tables, kind: &str, unit: &str| {
        let mut message = Message::default();
        message.number(1, tables.text(kind)).number(2, tables.text(unit));
        message
    };
    let count = value_type(&mut tables, "samples", "count");
    let time = value_type(&mut tables, "cpu", "nanoseconds");
    body.message(1, &count).message(1, &time);
    for sampled in &samples.stacks {
        // Innermost first.
        let places: Vec<u64> = sampled.frames.iter().rev().map(|f| tables.place(f)).collect();
        let mut label = Message::default();
        label.number(1, tables.text("thread")).number(2, tables.text(&sampled.thread));
        let mut sample = Message::default();
        sample
            .numbers(1, &places)
            .numbers(2, &[sampled.count, sampled.count * PERIOD_NS])
            .message(3, &label);
        body.message(2, &sample);
    }
    for message in &tables.places {
        body.message(4, message);
    }
    for message in &tables.functions {
        body.message(5, message);
    }
    for text in &tables.texts {
        body.bytes(6, text.as_bytes());
    }
    let started = samples.started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    body.number(9, started.as_nanos() as u64)
        .number(10, samples.duration.as_nanos() as u64)
        .message(11, &time)
        .number(12, PERIOD_NS);
    body.0
}

/// Strings, functions and places, each once.
struct Tables {
    texts: Vec<String>,
    text_ids: HashMap<String, u64>,
    places: Vec<Message>,
    place_ids: HashMap<Frame, u64>,
    functions: Vec<Message>,
    function_ids: HashMap<(String, String), u64>,
}

impl Tables {
    /// The first string is the empty one, by the format.
    fn new() -> Self {
        let mut tables = Self {
            texts: Vec::new(),
            text_ids: HashMap::new(),
            places: Vec::new(),
            place_ids: HashMap::new(),
            functions: Vec::new(),
            function_ids: HashMap::new(),
        };
        tables.text("");
        tables
    }

    fn text(&mut self, text: &str) -> u64 {
        if let Some(id) = self.text_ids.get(text) {
            return *id;
        }
        let id = self.texts.len() as u64;
        self.texts.push(text.to_owned());
        self.text_ids.insert(text.to_owned(), id);
        id
    }

    fn place(&mut self, frame: &Frame) -> u64 {
        if let Some(id) = self.place_ids.get(frame) {
            return *id;
        }
        let mut line = Message::default();
        line.number(1, self.function(frame)).number(2, u64::from(frame.line));
        let id = self.places.len() as u64 + 1;
        let mut place = Message::default();
        place.number(1, id).message(4, &line);
        self.places.push(place);
        self.place_ids.insert(frame.clone(), id);
        id
    }

    fn function(&mut self, frame: &Frame) -> u64 {
        let key = (frame.name.clone(), frame.file.clone());
        if let Some(id) = self.function_ids.get(&key) {
            return *id;
        }
        let id = self.functions.len() as u64 + 1;
        let (name, file) = (self.text(&frame.name), self.text(&frame.file));
        let mut function = Message::default();
        function.number(1, id).number(2, name).number(3, name).number(4, file);
        self.functions.push(function);
        self.function_ids.insert(key, id);
        id
    }
}

/// Protocol buffers' wire format: a tag (field number and kind), then the value.
#[derive(Default)]
struct Message(Vec<u8>);

const VARINT: u64 = 0;
const LENGTH: u64 = 2;

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) -> &mut Self {
        self.varint(field << 3 | VARINT);
        self.varint(value);
        self
    }

    fn bytes(&mut self, field: u64, value: &[u8]) -> &mut Self {
        self.varint(field << 3 | LENGTH);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn message(&mut self, field: u64, value: &Self) -> &mut Self {
        self.bytes(field, &value.0)
    }

    fn numbers(&mut self, field: u64, values: &[u64]) -> &mut Self {
        let mut packed = Self::default();
        values.iter().for_each(|value| packed.varint(*value));
        self.message(field, &packed)
    }
}
