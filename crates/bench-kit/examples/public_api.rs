//! Reads the sources of every library crate and holds their public signatures to being typed, and
//! the modules that a user starts from to having an example.
//!
//!     cargo run -p bench-kit --example public_api [ROOT]
//!
//! A signature is typed where it names no `Any`, no untyped document (`serde_json::Value` and the
//! like), and takes no choice as text: a parameter, or a field of options, that is called `mode` or
//! `kind` and is a string, has an enum to become. Prints a line for each that is not, then two lines
//! of counts; exit code 1 where anything was found.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use syn::visit::{self, Visit};

/// Names of parameters and options that stand for a choice among a few.
const CHOICES: [&str; 17] = [
    "backend",
    "compression",
    "direction",
    "dtype",
    "format",
    "harness",
    "kind",
    "layer",
    "level",
    "method",
    "mode",
    "objective",
    "order_type",
    "policy",
    "sampler",
    "severity",
    "size_type",
];
/// Types that hold what a caller chooses end like this.
const OPTIONS: [&str; 4] = ["Options", "Config", "Plan", "Policy"];
/// Untyped documents and their parts.
const DOCUMENTS: [(&str, &[&str]); 2] =
    [("serde_json", &["Value", "Map"]), ("toml", &["Value", "Table"])];

/// What was found.
#[derive(Default)]
struct Report {
    signatures: usize,
    untyped: Vec<String>,
    modules: usize,
    without_example: Vec<String>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = std::env::args().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut report = Report::default();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let source = entry?.path().join("src");
        if source.join("lib.rs").is_file() {
            read_library(&source, &mut report)?;
        }
    }
    let Report { signatures, untyped, modules, without_example } = &report;
    untyped.iter().for_each(|line| println!("untyped: {line}"));
    without_example.iter().for_each(|line| println!("no example: {line}"));
    println!("typed signatures: {} of {signatures}", signatures - untyped.len());
    println!("modules with an example: {} of {modules}", modules - without_example.len());
    let is_sound = untyped.is_empty() && without_example.is_empty();
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_library(source: &Path, report: &mut Report) -> Result<(), Box<dyn Error>> {
    for path in rust_files(source)? {
        let file = syn::parse_file(&std::fs::read_to_string(&path)?)?;
        let mut signatures =
            Signatures { path: &path, imported: imported_documents(&file), owner: None, report };
        signatures.visit_file(&file);
    }
    let front = source.join("lib.rs");
    let file = syn::parse_file(&std::fs::read_to_string(&front)?)?;
    has_example(&front, &file.attrs, report);
    for module in file.items.iter().filter_map(public_module) {
        let name = module.ident.to_string();
        let paths = [source.join(format!("{name}.rs")), source.join(&name).join("mod.rs")];
        let Some(path) = paths.iter().find(|path| path.is_file()) else { continue };
        let file = syn::parse_file(&std::fs::read_to_string(path)?)?;
        has_example(path, &file.attrs, report);
    }
    Ok(())
}

fn rust_files(folder: &Path) -> std::io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
    Ok(found)
}

/// A module that is part of the interface.
fn public_module(item: &syn::Item) -> Option<&syn::ItemMod> {
    match item {
        syn::Item::Mod(module) if is_public(&module.vis) => Some(module),
        _ => None,
    }
}

/// Notes a module, and whether its front page shows how it is used: a block of Rust.
fn has_example(path: &Path, attributes: &[syn::Attribute], report: &mut Report) {
    report.modules += 1;
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    let fences = lines.iter().filter_map(|line| line.trim().strip_prefix("```"));
    // Every other fence ends a block.
    let mut blocks = fences.step_by(2);
    if !blocks.any(|tag| matches!(tag, "" | "no_run" | "should_panic")) {
        report.without_example.push(path.display().to_string());
    }
}

/// The line of a `//!`.
fn doc_line(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else {
        return None;
    };
    pair.path.is_ident("doc").then(|| text.value())
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}

/// The names under which a file knows untyped documents, `use serde_json::{Map, Value}`.
fn imported_documents(file: &syn::File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &file.items {
        if let syn::Item::Use(import) = item
            && let syn::UseTree::Path(path) = &import.tree
            && let Some((_, documents)) = DOCUMENTS.iter().find(|(name, _)| path.ident == name)
        {
            collect(&path.tree, documents, &mut names);
        }
    }
    names
}

fn collect(tree: &syn::UseTree, documents: &[&str], names: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Name(name) if documents.iter().any(|known| name.ident == known) => {
            names.insert(name.ident.to_string());
        }
        syn::UseTree::Rename(name) if documents.iter().any(|known| name.ident == known) => {
            names.insert(name.rename.to_string());
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| collect(tree, documents, names));
        }
        _ => {}
    }
}

/// Walks over a file's public signatures.
struct Signatures<'a> {
    path: &'a Path,
    imported: BTreeSet<String>,
    /// The public trait whose items are being looked at.
    owner: Option<String>,
    report: &'a mut Report,
}

impl Signatures<'_> {
    /// Notes what is called `name` and has `types`.
    fn note<'t>(&mut self, name: &str, types: impl IntoIterator<Item = &'t syn::Type>) {
        let found = self.untyped(types);
        self.count(name, found);
    }

    fn untyped<'t>(&self, types: impl IntoIterator<Item = &'t syn::Type>) -> Option<String> {
        let mut untyped = Untyped { imported: &self.imported, found: None };
        types.into_iter().for_each(|ty| untyped.visit_type(ty));
        untyped.found
    }

    fn count(&mut self, name: &str, found: Option<String>) {
        self.report.signatures += 1;
        if let Some(what) = found {
            let line = format!("{}: {name} has {what}", self.path.display());
            self.report.untyped.push(line);
        }
    }

    fn function(&mut self, signature: &syn::Signature) {
        let name = match &self.owner {
            Some(owner) => format!("{owner}::{}", signature.ident),
            None => signature.ident.to_string(),
        };
        let mut untyped = Untyped { imported: &self.imported, found: None };
        untyped.visit_signature(signature);
        let stringly = signature.inputs.iter().find_map(stringly_parameter);
        let found = untyped.found.or(stringly);
        self.count(&name, found);
    }
}

/// A parameter that takes a choice as text.
fn stringly_parameter(input: &syn::FnArg) -> Option<String> {
    let syn::FnArg::Typed(input) = input else { return None };
    let syn::Pat::Ident(name) = &*input.pat else { return None };
    stringly(&name.ident.to_string(), &input.ty)
}

fn stringly(name: &str, ty: &syn::Type) -> Option<String> {
    (CHOICES.contains(&name) && is_text(ty)).then(|| format!("the choice '{name}' as text"))
}

/// `String`, `&str`, and either in an `Option`.
fn is_text(ty: &syn::Type) -> bool {
    let ty = match ty {
        syn::Type::Reference(reference) => &*reference.elem,
        other => other,
    };
    let syn::Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(inner) if last.ident == "Option" => {
            let is_text = |argument: &syn::GenericArgument| matches!(argument, syn::GenericArgument::Type(ty) if is_text(ty));
            inner.args.iter().any(is_text)
        }
        _ => last.ident == "String" || last.ident == "str",
    }
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if is_public(&function.vis) {
            self.function(&function.sig);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if !is_public(&item.vis) {
            return;
        }
        let owner = item.ident.to_string();
        let is_options = OPTIONS.iter().any(|end| owner.ends_with(end));
        for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
            let name = field.ident.as_ref().map_or_else(String::new, ToString::to_string);
            let choice = if is_options { stringly(&name, &field.ty) } else { None };
            let found = self.untyped([&field.ty]).or(choice);
            self.count(&format!("{owner}.{name}"), found);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if !is_public(&item.vis) {
            return;
        }
        for variant in &item.variants {
            let name = format!("{}::{}", item.ident, variant.ident);
            self.note(&name, variant.fields.iter().map(|field| &field.ty));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if is_public(&item.vis) {
            self.owner = Some(item.ident.to_string());
            visit::visit_item_trait(self, item);
            self.owner = None;
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.function(&function.sig);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for function in item.items.iter().filter_map(public_function) {
            self.function(&function.sig);
        }
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if is_public(&item.vis) {
            self.note(&item.ident.to_string(), [&*item.ty]);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if is_public(&item.vis) {
            self.note(&item.ident.to_string(), [&*item.ty]);
        }
    }
}

fn public_function(item: &syn::ImplItem) -> Option<&syn::ImplItemFn> {
    match item {
        syn::ImplItem::Fn(function) if is_public(&function.vis) => Some(function),
        _ => None,
    }
}

/// Looks into a signature's types and bounds.
struct Untyped<'a> {
    imported: &'a BTreeSet<String>,
    found: Option<String>,
}

impl<'ast> Visit<'ast> for Untyped<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        let is_any = names.last().is_some_and(|last| last == "Any");
        let is_imported = names.len() == 1 && self.imported.contains(&names[0]);
        let is_document = DOCUMENTS.iter().any(|(library, documents)| {
            names.len() == 2 && names[0] == *library && documents.contains(&names[1].as_str())
        });
        if is_any || is_imported || is_document {
            self.found = Some(names.join("::"));
        }
        visit::visit_path(self, path);
    }
}
