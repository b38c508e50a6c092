//! What the end-to-end tests share: where the disk is, and how to speak to each of its sides.
//!
//! The tests look at the product as its users do: objects are written as YAML would be and read as `kubectl`
//! reads them, files go through the public addresses. They need a kubeconfig and the settings that
//! `make demo` writes ([`settings`]); tests that take servers away also need the command of the embedded
//! cluster ([`chaos`]).

pub mod chaos;
pub mod command;
pub mod demo;
pub mod disk;
pub mod file_system;
pub mod http;
pub mod memory;
pub mod noise;
pub mod objects;
pub mod people;
pub mod settings;
pub mod story;
pub mod tus;
pub mod wait;
pub mod web;
pub mod writers;
