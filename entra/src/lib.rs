#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod class;
mod codes;
mod page;

pub use class::{Class, Refusal, another_refresh_token_may_do, class_of, is_dead};
pub use page::{PAGE, is_a_page};
