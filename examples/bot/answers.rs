//! The answers of the embedded models.

/// The answers of the large and of the small model to questions on one topic.
pub(crate) struct Topic {
    /// A question with one of these words is on this topic.
    keywords: &'static [&'static str],
    large: &'static str,
    small: &'static str,
}

/// Example questions. Each is on one of the topics.
pub(crate) const QUESTIONS: [&str; 3] =
    ["Where is my parcel?", "How do I get a refund?", "When are you open?"];

const TOPICS: [Topic; 3] = [
    Topic {
        keywords: &["parcel", "package", "order", "deliver", "ship", "track"],
        large: "Parcels leave our warehouse on the day of the order and take one to two working days. \
                Yours was handed to the carrier this morning, so it should be with you tomorrow before noon. \
                If it is not there by then, write to us and we send a new one at once.",
        small: "Parcels take one to two working days. You find the tracking link in the mail that \
                confirmed your order.",
    },
    Topic {
        keywords: &["refund", "return", "money", "exchange", "broken"],
        large: "You can send back anything within thirty days, and the return label is in the parcel. \
                As soon as it arrives we check it, and the money is on your account within five working days. \
                If something came broken, a photo is enough and you may keep it.",
        small: "Send it back within thirty days with the label in the parcel. The refund takes five \
                working days.",
    },
    Topic {
        keywords: &["open", "hour", "close", "when", "shop"],
        large: "Our shops are open from nine in the morning to seven in the evening, Monday to Saturday. \
                On Sundays they are closed, but you can order here at any hour of the day, \
                and a colleague answers the telephone from eight to eight.",
        small: "We are open from nine to seven, Monday to Saturday.",
    },
];

const DEFAULT_TOPIC: Topic = Topic {
    keywords: &[],
    large: "I am glad to help with parcels, refunds and opening hours. \
            For anything else please leave your number, and a colleague calls you back within the hour.",
    small: "I can help with parcels, refunds and opening hours.",
};

// === impl Topic ===

impl Topic {
    /// The topic of a question.
    pub(crate) fn of(question: &str) -> &'static Self {
        let question = question.to_lowercase();
        let matches = |topic: &&Self| topic.keywords.iter().any(|word| question.contains(word));
        TOPICS.iter().find(matches).unwrap_or(&DEFAULT_TOPIC)
    }

    /// The answer of the model.
    pub(crate) fn answer(&self, model: &str) -> &'static str {
        if model == "small" { self.small } else { self.large }
    }
}
