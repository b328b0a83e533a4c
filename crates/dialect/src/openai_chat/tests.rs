mod stream;
mod unary;
