//! What the component and the host both know about the replies of Microsoft Entra ID.
//!
//! Each side is compiled with a copy of its own, so a component in place of the built-in one changes
//! its own copy only.

#![forbid(unsafe_code)]

mod class;
mod codes;
mod page;

pub use class::{Class, Refusal, another_refresh_token_may_do, class_of, is_dead};
pub use page::{PAGE, is_a_page};
