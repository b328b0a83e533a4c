//! The languages of the bot, and its own texts in them.

use http::{HeaderMap, header::ACCEPT_LANGUAGE};

/// A language that the bot speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    German,
    French,
    Spanish,
}

/// The texts that visitors read, in one language.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The reply when no model answers.
    pub(crate) canned: &'static str,
    pub(crate) canned_label: &'static str,
    pub(crate) backup_label: &'static str,
    /// After the first words of an answer without an end.
    pub(crate) broken_off: &'static str,
    pub(crate) blocked: &'static str,
    pub(crate) too_long: &'static str,
    pub(crate) our_mistake: &'static str,
    pub(crate) unavailable: &'static str,
    /// The answers of the embedded models.
    large: &'static str,
    small: &'static str,
}

const ENGLISH: Texts = Texts {
    canned: "We are very busy at the moment. A colleague will write to you today.",
    canned_label: "Short answer: we are busy",
    backup_label: "Answered by our second assistant",
    broken_off: "Sorry, the answer broke off here. Please ask again.",
    blocked: "Sorry, I cannot answer this question.",
    too_long: "Sorry, this conversation is too long. Please start a new one.",
    our_mistake: "Sorry, something is wrong on our side. Please write us an e-mail.",
    unavailable: "Sorry, I cannot answer at the moment. Please try again in a minute.",
    large: "Parcels leave our warehouse on the day of the order and take one to two working days. Yours was handed to the \
            carrier this morning, so it should be with you tomorrow before noon. If it is not there by then, write to us and \
            we send a new one at once.",
    small: "Parcels take one to two working days. You find the tracking link in the mail that confirmed your order.",
};

const GERMAN: Texts = Texts {
    canned: "Wir haben gerade sehr viel zu tun. Wir schreiben Ihnen heute noch persönlich.",
    canned_label: "Kurze Antwort: Wir sind gerade ausgelastet",
    backup_label: "Beantwortet von unserem zweiten Assistenten",
    broken_off: "Die Antwort ist hier leider abgebrochen. Bitte fragen Sie noch einmal.",
    blocked: "Diese Frage kann ich leider nicht beantworten.",
    too_long: "Dieses Gespräch ist leider zu lang. Bitte beginnen Sie ein neues.",
    our_mistake: "Bei uns ist leider etwas nicht in Ordnung. Bitte schreiben Sie uns eine E-Mail.",
    unavailable: "Ich kann im Moment leider nicht antworten. Bitte versuchen Sie es in einer Minute noch einmal.",
    large: "Pakete verlassen unser Lager am Tag der Bestellung und brauchen ein bis zwei Werktage. Ihres haben wir heute \
            Morgen dem Paketdienst übergeben, es sollte also morgen Vormittag bei Ihnen sein. Wenn es bis dahin nicht da ist, \
            schreiben Sie uns, und wir schicken sofort ein neues.",
    small: "Pakete brauchen ein bis zwei Werktage. Den Link zur Sendung finden Sie in der Bestätigung Ihrer Bestellung.",
};

const FRENCH: Texts = Texts {
    canned: "Nous sommes très sollicités en ce moment. Un collègue vous écrira aujourd'hui.",
    canned_label: "Réponse courte : nous sommes très sollicités",
    backup_label: "Réponse de notre second assistant",
    broken_off: "Désolé, la réponse s'est interrompue ici. Merci de reposer votre question.",
    blocked: "Désolé, je ne peux pas répondre à cette question.",
    too_long: "Désolé, cette conversation est trop longue. Merci d'en commencer une nouvelle.",
    our_mistake: "Désolé, il y a un problème de notre côté. Merci de nous écrire par e-mail.",
    unavailable: "Désolé, je ne peux pas répondre pour le moment. Merci de réessayer dans une minute.",
    large: "Les colis quittent notre entrepôt le jour de la commande et mettent un à deux jours ouvrés. Le vôtre a été remis \
            au transporteur ce matin : il devrait être chez vous demain avant midi. S'il n'est pas arrivé d'ici là, \
            écrivez-nous et nous en enverrons un autre aussitôt.",
    small: "Les colis mettent un à deux jours ouvrés. Le lien de suivi se trouve dans l'e-mail de confirmation.",
};

const SPANISH: Texts = Texts {
    canned: "En este momento tenemos mucho trabajo. Un compañero le escribirá hoy mismo.",
    canned_label: "Respuesta breve: estamos muy ocupados",
    backup_label: "Respuesta de nuestro segundo asistente",
    broken_off: "Lo sentimos, la respuesta se ha interrumpido aquí. Vuelva a preguntar, por favor.",
    blocked: "Lo sentimos, no puedo responder a esta pregunta.",
    too_long: "Lo sentimos, esta conversación es demasiado larga. Empiece una nueva, por favor.",
    our_mistake: "Lo sentimos, algo no funciona por nuestra parte. Escríbanos un correo, por favor.",
    unavailable: "Lo sentimos, ahora no puedo responder. Vuelva a intentarlo dentro de un minuto, por favor.",
    large: "Los paquetes salen de nuestro almacén el mismo día del pedido y tardan uno o dos días laborables. El suyo se \
            entregó al transportista esta mañana, así que debería recibirlo mañana antes del mediodía. Si para entonces no ha \
            llegado, escríbanos y le enviaremos otro enseguida.",
    small: "Los paquetes tardan uno o dos días laborables. El enlace de seguimiento está en el correo de confirmación.",
};

// === impl Language ===

impl Language {
    /// The maximum number of languages read from a header.
    const MOST: usize = 32;

    /// The language of a visitor: the best of the header `accept-language` that the bot speaks, English without one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header =
            headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Self::default());
        for range in header.split(',').take(Self::MOST) {
            let (name, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
            let weight: f32 = weight.unwrap_or(0.0);
            if let Some(language) = Self::named(name.trim()).filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }

    /// The language of a tag such as `de-CH`.
    fn named(tag: &str) -> Option<Self> {
        match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            "fr" => Some(Self::French),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::French => &FRENCH,
            Self::Spanish => &SPANISH,
        }
    }

    /// The answer of an embedded model.
    pub(crate) fn embedded_answer(self, model: &str) -> &'static str {
        if model == "small" { self.texts().small } else { self.texts().large }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_that_the_bot_speaks_is_chosen() {
        for (header, language) in [
            ("de-CH", Language::German),
            ("nl, fr;q=0.8, en;q=0.7", Language::French),
            ("en;q=0.5,ES-mx;q=0.9", Language::Spanish),
            ("de;q=0, en;q=0.1", Language::English),
            ("de; q=0.9, fr;q=0.1", Language::German),
            ("ja, *;q=0.5", Language::English),
            ("", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(Language::of(&headers), language, "{header}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
