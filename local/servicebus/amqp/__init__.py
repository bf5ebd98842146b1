"""The protocol, without a socket: types, frames, performatives, message sections."""
