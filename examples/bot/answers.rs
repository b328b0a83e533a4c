//! What the embedded models know.

/// What is known of one thing: by the larger model, and by the smaller one.
pub(crate) struct Topic {
    words: &'static [&'static str],
    large: &'static str,
    small: &'static str,
}

/// Questions that get a good answer.
pub(crate) const QUESTIONS: [&str; 3] =
    ["Where is my parcel?", "How do I get a refund?", "When are you open?"];

const TOPICS: [Topic; 3] = [
    Topic {
        words: &["parcel", "package", "order", "deliver", "ship", "track"],
        large: "Parcels leave our warehouse on the day of the order and take one to two working days. \
                Yours was handed to the carrier this morning, so it should be with you tomorrow before noon. \
                If it is not there by then, write to us and we send a new one at once.",
        small: "Parcels take one to two working days. You find the tracking link in the mail that \
                confirmed your order.",
    },
    Topic {
        words: &["refund", "return", "money", "exchange", "broken"],
        large: "You can send back anything within thirty days, and the return label is in the parcel. \
                As soon as it arrives we check it, and the money is on your account within five working days. \
                If something came broken, a photo is enough and you may keep it.",
        small: "Send it back within thirty days with the label in the parcel. The refund takes five \
                working days.",
    },
    Topic {
        words: &["open", "hour", "close", "when", "shop"],
        large: "Our shops are open from nine in the morning to seven in the evening, Monday to Saturday. \
                On Sundays they are closed, but you can order here at any hour of the day, \
                and a colleague answers the telephone from eight to eight.",
        small: "We are open from nine to seven, Monday to Saturday.",
    },
];

const OTHERWISE: Topic = Topic {
    words: &[],
    large: "I am glad to help with parcels, refunds and opening hours. \
            For anything else please leave your number, and a colleague calls you back within the hour.",
    small: "I can help with parcels, refunds and opening hours.",
};

// === impl Topic ===

impl Topic {
    /// What a question is about.
    pub(crate) fn of(question: &str) -> &'static Self {
        let question = question.to_lowercase();
        let known = |topic: &&Self| topic.words.iter().any(|word| question.contains(word));
        TOPICS.iter().find(known).unwrap_or(&OTHERWISE)
    }

    /// The answer of a model.
    pub(crate) fn answer(&self, model: &str) -> &'static str {
        if model == "small" { self.small } else { self.large }
    }
}
