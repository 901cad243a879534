//! The fixed list of codes: a code never changes its meaning.

macro_rules! codes {
    ($($name:ident $id:literal $meaning:literal $fix:literal;)*) => {
        /// Names one kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All, in the order of their ids.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// `E0101`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it says.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),* }
            }

            /// Whether it is only true if all files could be read.
            pub(crate) fn depends_on_all_files(self) -> bool {
                matches!(self, Self::Unused | Self::UnknownReference | Self::MatchesNothing | Self::Version)
            }

            /// What to do about it.
            pub fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix),* }
            }
        }
    };
}

codes! {
    UnknownKey "E0101" "A key that the language does not know at this place." "Correct the spelling, or begin the key with `x-` to have it ignored.";
    DuplicateKey "E0102" "The same key stands twice, in one map or in two files." "Remove or rename one of the two.";
    MissingKey "E0103" "A key that must be there is missing or has no value." "Add the key.";
    WrongType "E0104" "A value has another shape than its key needs (a list for a map, text for a number, …)." "Write the shape that the message names.";
    UnknownChoice "E0105" "A value is none of the words that are possible here." "Use one of the listed words.";
    BadName "E0106" "A name breaks the rules for names, or is reserved." "Use lower-case letters, digits and `-`, beginning with a letter or digit.";
    NoUnit "E0107" "A quantity has no unit, or one that does not fit." "Write percentages with `%`, durations as `15m` or `800ms`, sizes as `64KiB`.";
    OutOfRange "E0108" "A number or quantity is outside its bounds." "Choose a value within the bounds that the message names.";
    Exclusive "E0109" "Keys that exclude each other stand together, or none of them is there." "Keep exactly one.";
    Syntax "E0110" "The file is not valid YAML, or uses a feature that is not supported (tags, several documents, keys that are not text)." "Correct the YAML.";
    Unreadable "E0111" "A file cannot be read: it does not exist, access is denied, it is no regular file, or it is not UTF-8." "Check the path, the permissions and the encoding.";
    TooLarge "E0112" "A file is over 1 MiB, nests deeper than 32, or grows too large through aliases." "Split the file; use fewer aliases.";
    WrongFile "E0113" "`version` or `include` stands outside the root file, or `daemon` or `mail` in two files." "Move the key to the root file, or join the two blocks.";
    Version "E0114" "`version` is missing or not 1." "Begin the root file with `version: 1`.";
    BadAddress "E0116" "A URL, socket address, e-mail address or store address cannot be used." "Write a complete address of the kind that the message names.";
    BadId "E0117" "An id that a vendor gives has another shape than its kind has." "Copy the id itself: no name and no address stands for it.";
    UnknownReference "E0120" "A name refers to something that does not exist." "Correct the spelling, or add what is missing.";
    MatchesNothing "E0121" "A pattern under `slo:` or `slos:` matches no SLO." "Write `service/slo`; `*` stands for any text within one of the two parts.";
    WrongKind "E0122" "A reference names something that exists but is of the wrong kind." "Refer to something of the kind that the message names.";
    FallbackCycle "E0123" "Receivers fall back to each other in a circle." "End the chain with a receiver that has no fallback.";
    UnsetVariable "E0130" "A variable, file or credential that a value comes from is not there. A warning in `slod check`, an error in `slod check --online` and `slod run`." "Set it, or give a `default`.";
    BadOutsideValue "E0131" "A value from outside is named wrongly." "Write exactly one of `{from_env: NAME}`, `{from_file: path}`, `{from_credential: name}`, with an optional `default`.";
    Promql "E0140" "A PromQL query does not parse." "Correct the query; `unchecked: true` beside it leaves the check to the server.";
    PromqlShape "E0141" "A PromQL query parses, but cannot be used for this." "Write a plain selector, or an expression with `$window`, as the message says.";
    Sql "E0142" "An SQL query is not one statement, or uses parameters other than `$1` and `$2`." "Write one statement without a second one after `;`.";
    Cron "E0143" "A cron expression cannot be understood." "Write five fields as in crontab(5).";
    Timezone "E0144" "A time zone does not exist." "Write an IANA name such as `Europe/Paris`.";
    NeverComes "E0145" "A cron expression names a time that never comes, such as the 31st of February." "Write a day that the month has.";
    Template "E0148" "A template does not parse, uses what templates here cannot use, or fails for a sample incident." "Correct the template; docs/templates.md has what it can say.";
    Unreachable "E0150" "A threshold can never be reached for an SLO that the policy watches." "Lower the factor, or choose windows that fit the SLO's slots.";
    DoesNotFit "E0151" "A condition makes no sense for an SLO that the policy watches." "Name SLOs that fit under `slo:`.";
    ProbeTimeout "E0152" "A probe's timeout is not shorter than its slot." "Shorten `timeout` or lengthen `every`.";
    WindowMisfit "E0153" "A window, a slot length and the retention do not fit each other." "Choose a window of at least two slots that is within `daemon.retention`.";
    PerMisfit "E0154" "`per` stands with an indicator that is one series." "Remove `per`, or write an SLO for each.";
    Unused "W0201" "A source, receiver, escalation or template is never used." "Remove it, or refer to it.";
    LiteralSecret "W0202" "A secret is written into the file." "Use `{from_env: …}`, `{from_file: …}` or `{from_credential: …}`.";
    PlainHttp "W0203" "A secret is sent over an unencrypted connection to another host." "Use `https://` (mail: `smtps://` or `?tls=required`).";
    IncludesNothing "W0204" "A pattern under `include:` matches no file." "Correct the pattern, or remove it.";
    NoFallback "W0205" "A pager has no fallback: nobody hears of a page that cannot be delivered." "Name another receiver under `fallback`.";
    TellsNobody "W0206" "A policy has neither `notify` nor `escalation`, and its service no default escalation." "Add `notify` or `escalation`, or an `escalation` to the service.";
    NoEffect "W0207" "A key has no effect, because another one is missing or empty." "Add the other key, or remove this one.";
    NotYet "N0301" "A key is read and checked, but what it asks for is not built yet." "Nothing; it starts to work with a later version.";
    PairLeftOut "N0302" "A pair of `sre-workbook` does not fit an SLO and is left out for it." "Nothing, or write the pairs yourself.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/diagnostics.md` as it must be. `SLOD_UPDATE_DOCS=1` writes it.
    fn documentation() -> String {
        let mut text = String::from(
            "# Diagnostics\n\nWhat `slod check` can say. `E` codes are errors (`E0130` a warning until it matters), \
             `W` codes warnings,\n`N` codes notes. A code never changes its meaning.\n\n\
             | code | meaning | fix |\n|---|---|---|\n",
        );
        for code in Code::ALL {
            let row = format!("| `{}` | {} | {} |\n", code.id(), code.meaning(), code.fix());
            text.push_str(&row);
        }
        text
    }

    #[test]
    fn every_code_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics.md");
        if std::env::var_os("SLOD_UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
            std::fs::write(path, documentation()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), documentation(), "run again with SLOD_UPDATE_DOCS=1");
    }

    #[test]
    fn ids_are_unique_and_sorted_within_their_letter() {
        let ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        for pair in ids.windows(2) {
            assert!(pair[0][..1] != pair[1][..1] || pair[0] < pair[1], "{pair:?}");
        }
    }
}
