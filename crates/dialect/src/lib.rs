//! The languages of the AI APIs.
