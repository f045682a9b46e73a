//! What is understood of a table: kinds, reasons for leaving out, targets, weights.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_model::schema::{InferOptions, Kind, MAX_SLOTS, Override};
use glassnet_model::table::Table;
use glassnet_model::target::{BLANK, Labels, TaskChoice};
use glassnet_model::weights::row_weights;
use glassnet_model::{Schema, TargetSchema};
use made::{all, numbers, table, words};

const NAN: f64 = f64::NAN;

fn infer(table: &Table, overrides: &[(&str, Override)]) -> Result<Schema, String> {
    let overrides = overrides.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    let options = InferOptions { overrides, ..InferOptions::default() };
    Schema::infer(table, &all(table), options).map_err(|error| error.to_string())
}

fn left_out<'a>(schema: &'a Schema, name: &str) -> &'a str {
    schema.column(name).unwrap().left_out.as_deref().unwrap_or("used")
}

#[test]
fn kinds_are_inferred() {
    let t = table(vec![
        numbers("temp", &[1.0, 2.0, NAN, 4.0]),
        numbers("flag", &[0.0, 1.0, 1.0, 0.0]),
        words("vip", &["Yes", "no", "", "YES"]),
        words("carrier", &["UA", "AA", "UA", ""]),
        words("mixed", &["true", "no", "yes", "false"]),
        numbers("always", &[3.0, 3.0, 3.0, 3.0]),
        words("same", &["x", "x", "x", "x"]),
        numbers("sometimes", &[3.0, NAN, 3.0, 3.0]),
        numbers("empty", &[NAN, NAN, NAN, NAN]),
    ]);
    let schema = infer(&t, &[]).unwrap();
    let kinds: Vec<&str> = schema.columns.iter().map(|column| column.kind.word()).collect();
    assert_eq!(
        kinds,
        ["number", "number", "boolean", "category", "category", "number", "category", "number", "number"]
    );
    assert_eq!(
        schema.column("vip").unwrap().kind,
        Kind::Boolean { false_word: "no".to_owned(), true_word: "yes".to_owned() }
    );
    assert_eq!(left_out(&schema, "always"), "always 3");
    assert_eq!(left_out(&schema, "same"), "always x");
    assert_eq!(left_out(&schema, "sometimes"), "used");
    assert_eq!(left_out(&schema, "empty"), "no value in any training row");
    let inputs: Vec<usize> = schema.columns.iter().map(|column| column.inputs()).collect();
    assert_eq!(inputs, [2, 1, 2, 3, 5, 0, 0, 1, 0]);
}

#[test]
fn only_training_rows_count() {
    let t = table(vec![words("c", &["a", "b", "late"]), numbers("x", &[1.0, 2.0, NAN])]);
    let schema = Schema::infer(&t, &[0, 1], InferOptions::default()).unwrap();
    let Kind::Category { levels, distinct } = &schema.column("c").unwrap().kind else { panic!("no category") };
    assert_eq!((levels.names(), *distinct), (&["a".to_owned(), "b".to_owned()][..], 2));
    assert_eq!(schema.column("x").unwrap().missing, 0);
}

#[test]
fn many_levels() {
    // Level i occurs i / 3 + 1 times: the frequent ones are those with large i, ties go by name.
    let frequent: Vec<String> = (0..200).flat_map(|i| vec![format!("l{i:03}"); i / 3 + 1]).collect();
    let frequent: Vec<&str> = frequent.iter().map(String::as_str).collect();
    let many: Vec<String> = (0..frequent.len()).map(|i| format!("m{}", i % 1001)).collect();
    let ids: Vec<String> = (0..30).map(|i| format!("id{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let t =
        table(vec![words("frequent", &frequent), words("many", &many.iter().map(String::as_str).collect::<Vec<_>>())]);
    let schema = infer(&t, &[]).unwrap();
    let column = schema.column("frequent").unwrap();
    let Kind::Category { levels, distinct } = &column.kind else { panic!("no category") };
    assert_eq!((levels.len(), *distinct, column.inputs()), (MAX_SLOTS, 200, MAX_SLOTS + 1));
    // The cut falls between l071 and l072 by counts of 25 (72..75): 128 = 200 - 72.
    assert_eq!(levels.names()[0], "l072");
    // 72 levels of counts 1, 1, 1, 2, ..., 24: 3 * (1 + ... + 24).
    assert!(column.note.contains("the other 72 share the unknown input, 900 rows"), "{}", column.note);
    assert_eq!(left_out(&schema, "many"), "1001 different texts, more than 1000");

    let kept = infer(&t, &[("many", Override::Category)]).unwrap();
    assert_eq!(kept.column("many").unwrap().inputs(), MAX_SLOTS + 1);

    let t = table(vec![words("id", &ids), numbers("x", &(0..30).map(f64::from).collect::<Vec<_>>())]);
    let schema = infer(&t, &[]).unwrap();
    assert_eq!(left_out(&schema, "id"), "30 different texts in 30 rows: names or identifiers");
    assert_eq!(left_out(&infer(&t, &[("id", Override::Category)]).unwrap(), "id"), "used");
}

#[test]
fn ties_at_the_cut_go_by_name() {
    let names: Vec<String> = (0..130).map(|i| format!("n{i:03}")).collect();
    let twice: Vec<&str> = names.iter().chain(&names).map(String::as_str).collect();
    let schema = infer(&table(vec![words("c", &twice)]), &[]).unwrap();
    let Kind::Category { levels, .. } = &schema.columns[0].kind else { panic!("no category") };
    assert_eq!(levels.names().last().unwrap(), "n127");
}

#[test]
fn overrides() {
    let t = table(vec![
        numbers("zone", &[2.0, 10.0, 2.0]),
        words("sex", &["m", "f", ""]),
        words("n", &["1", "2.5", ""]),
        numbers("bit", &[0.0, 1.0, 1.0]),
        numbers("gone", &[0.0, 1.0, 2.0]),
    ]);
    let schema = infer(
        &t,
        &[
            ("zone", Override::Category),
            ("sex", Override::Boolean),
            ("n", Override::Number),
            ("bit", Override::Boolean),
            ("gone", Override::Drop),
        ],
    )
    .unwrap();
    let Kind::Category { levels, .. } = &schema.column("zone").unwrap().kind else { panic!("no category") };
    assert_eq!(levels.names(), ["2", "10"]);
    assert_eq!(
        schema.column("sex").unwrap().kind,
        Kind::Boolean { false_word: "f".to_owned(), true_word: "m".to_owned() }
    );
    assert_eq!(
        schema.column("bit").unwrap().kind,
        Kind::Boolean { false_word: "0".to_owned(), true_word: "1".to_owned() }
    );
    assert_eq!(schema.column("n").unwrap().kind, Kind::Number);
    assert_eq!(left_out(&schema, "gone"), "dropped on request");
}

#[test]
fn mistakes_are_named() {
    let t = table(vec![numbers("temp", &[1.0, 2.0, 3.0]), words("c", &["a", "b", "9"])]);
    let error = infer(&t, &[("tmep", Override::Drop)]).unwrap_err();
    assert_eq!(
        error,
        "t.csv has no column \"tmep\" for the kind that was given (did you mean \"temp\"?)\n  hint: give the name as the header has it"
    );
    let error = infer(&t, &[("c", Override::Number)]).unwrap_err();
    assert!(error.starts_with("t.csv, row 1 (line 2), column \"c\": \"a\" is not a number\n  hint: "), "{error}");
    let error = infer(&t, &[("c", Override::Boolean)]).unwrap_err();
    assert!(error.contains("cannot be boolean: it has 3 different values"), "{error}");
    let error = infer(&t, &[("temp", Override::Drop), ("c", Override::Drop)]).unwrap_err();
    assert!(error.contains("no column left to learn from: \"temp\" (dropped on request)"), "{error}");
    let error = Schema::infer(&t, &[], InferOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no usable row"), "{error}");
    let twice = table(vec![numbers("a", &[1.0]), numbers("a", &[2.0])]);
    assert!(infer(&twice, &[]).unwrap_err().contains("two columns named \"a\""));
    let weight = InferOptions { weight_column: Some("w".to_owned()), ..InferOptions::default() };
    let error = Schema::infer(&t, &[0], weight).unwrap_err().to_string();
    assert!(error.contains("no column \"w\" for the row weights"), "{error}");
    for (values, why) in
        [(["1", "2"], "its numbers are 1 and 2"), (["1", "x"], "a number and a word"), (["a", "A"], "capitals")]
    {
        let error = infer(&table(vec![words("b", &values)]), &[("b", Override::Boolean)]).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn the_table_of_what_was_understood() {
    let t = table(vec![
        numbers("temp", &[1.5, 2.0, NAN]),
        words("carrier", &["UA", "AA", "UA"]),
        words("vip", &["y", "n", "n"]),
        numbers("k", &[7.0, 7.0, 7.0]),
        words("late", &["no", "yes", "no"]),
        numbers("w", &[1.0, 2.0, 1.0]),
    ]);
    let (target, _) = TargetSchema::infer(&t, "late", None).unwrap();
    let options = InferOptions { target: Some(target), weight_column: Some("w".to_owned()), ..InferOptions::default() };
    let schema = Schema::infer(&t, &all(&t), options).unwrap();
    assert_eq!(
        schema.to_string(),
        "column   kind      missing in training  first value, or levels  inputs\n\
         temp     number                      1  1.5                     2\n\
         carrier  category                    0  AA, UA                  3\n\
         vip      boolean                     0  n / y                   1\n\
         k        number                      0  7                       left out: always 7\n\
               3 training rows; 3 of 4 columns used, 6 inputs of the network\n\
               target late: 2 classes (no, yes), a class because it is text with 2 different values\n\
               row weights w\n"
    );
    assert!(schema.knows("late") && schema.knows("w") && schema.knows("k") && !schema.knows("z"));
}

#[test]
fn targets_of_classes() {
    let t = table(vec![words("y", &["b", "", "a", "b"]), numbers("n", &[10.0, 2.0, NAN, 2.0])]);
    let (target, read) = TargetSchema::infer(&t, "y", None).unwrap();
    assert_eq!(target.classes().unwrap(), ["a", "b"]);
    assert_eq!(read.labels, Labels::Classes(vec![1, BLANK, 0, 1]));
    assert_eq!((read.rows, read.blank), (vec![0, 2, 3], 1));
    let (target, read) = TargetSchema::infer(&t, "n", None).unwrap();
    assert_eq!(target.classes().unwrap(), ["2", "10"]);
    assert_eq!(target.reason, "a class because it has 2 different whole numbers (task regress overrides this)");
    assert_eq!(read.labels, Labels::Classes(vec![1, 0, BLANK, 0]));
    // Another table may hold the same classes as text, or one that is new.
    let other = table(vec![words("n", &["2.0", "10", ""])]);
    assert_eq!(target.read(&other).unwrap().labels, Labels::Classes(vec![0, 1, BLANK]));
    let error = target.read(&table(vec![numbers("n", &[2.0, 3.0])])).unwrap_err().to_string();
    assert!(
        error.starts_with("t.csv, row 2 (line 3), column \"n\": \"3\" is not one of the classes of training (2, 10)"),
        "{error}"
    );
}

#[test]
fn targets_of_numbers() {
    let values: Vec<f64> = (0..21).map(f64::from).collect();
    let t = table(vec![numbers("many", &values), numbers("y", &[[2.0, 4.0, 5.5].as_slice(), &[NAN; 18]].concat())]);
    let (target, _) = TargetSchema::infer(&t, "many", None).unwrap();
    assert_eq!(target.reason, "a number because it has 21 different whole numbers (task classify overrides this)");
    assert_eq!(target.classes(), None);
    let (target, _) = TargetSchema::infer(&t, "many", Some(TaskChoice::Classify)).unwrap();
    assert_eq!(target.classes().unwrap().len(), 21);

    let (mut target, read) = TargetSchema::infer(&t, "y", None).unwrap();
    assert_eq!((read.rows.as_slice(), read.blank), (&[0, 1, 2][..], 18));
    target.fit(&read.labels, &[0, 1]).unwrap();
    // Mean 3, deviation 1.
    assert_eq!((target.standardise(5.5), target.restore(2.5)), (2.5, 5.5));
    assert!(target.fit(&read.labels, &[1]).unwrap_err().to_string().contains("is 4 in all 1 rows"));

    let (target, _) =
        TargetSchema::infer(&table(vec![numbers("b", &[0.0, 1.0])]), "b", Some(TaskChoice::Regress)).unwrap();
    assert_eq!(target.classes(), None);
    // Numbers that a reader kept as text.
    let (target, _) = TargetSchema::infer(&table(vec![words("b", &["1.5", "2"])]), "b", None).unwrap();
    assert_eq!((target.standardise(2.0), target.classes()), (1.0, None));
}

#[test]
fn targets_that_cannot_be() {
    let t = table(vec![
        words("one", &["a", "a", ""]),
        numbers("five", &[5.0, 5.0, NAN]),
        numbers("half", &[0.5, 0.5, 0.5]),
        numbers("blank", &[NAN, NAN, NAN]),
        numbers("inf", &[0.0, f64::INFINITY, 1.0]),
        words("text", &["1", "x", "2"]),
    ]);
    let says = |name: &str, choice: Option<TaskChoice>, part: &str| {
        let error = TargetSchema::infer(&t, name, choice).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    says("one", None, "only one class, \"a\", in all 2 rows");
    says("five", None, "only one class, \"5\", in all 2 rows");
    says("half", None, "\"half\" is 0.5 in all 3 rows");
    says("blank", None, "the target \"blank\" is blank in all 3");
    says("inf", None, "row 2 (line 3), column \"inf\": \"inf\" is not a finite number");
    says("inf", Some(TaskChoice::Classify), "row 2 (line 3), column \"inf\"");
    says("text", Some(TaskChoice::Regress), "row 2 (line 3), column \"text\": \"x\" is not a finite number");
    says("onne", None, "no column \"onne\" for the target (did you mean \"one\"?)");
    let ids: Vec<String> = (0..1001).map(|i| format!("id {i}")).collect();
    let ids = table(vec![words("id", &ids.iter().map(String::as_str).collect::<Vec<_>>())]);
    let error = TargetSchema::infer(&ids, "id", None).unwrap_err().to_string();
    assert!(error.contains("1001 different values in 1001 rows"), "{error}");
    let error = TargetSchema::infer(&table(vec![words("y", &[])]), "y", None).unwrap_err().to_string();
    assert!(error.contains("t.csv has no usable row\n  hint:"), "{error}");
}

#[test]
fn weights() {
    let t = table(vec![
        numbers("w", &[1.0, 0.0, 2.5]),
        numbers("bad", &[1.0, -1.0, f64::INFINITY]),
        numbers("zero", &[0.0, 0.0, 1.0]),
        words("text", &["1", "x", ""]),
    ]);
    assert_eq!(row_weights(&t, "w", &[2, 1]).unwrap(), [2.5, 0.0]);
    assert_eq!(row_weights(&t, "text", &[0]).unwrap(), [1.0]);
    let says = |name: &str, row: usize, part: &str| {
        let error = row_weights(&t, name, &[row]).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    says("bad", 1, "row 2 (line 3), column \"bad\": \"-1\" is not a row weight");
    says("bad", 2, "row 3 (line 4), column \"bad\": \"inf\" is not a row weight");
    says("text", 1, "\"x\" is not a row weight");
    says("text", 2, "\"\" is not a row weight");
    says("zero", 0, "the weights in column \"zero\" are 0 in all 1 rows");
    says("v", 0, "no column \"v\" for the row weights");
}
