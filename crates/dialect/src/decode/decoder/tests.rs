mod array;
mod json_lines;
mod sse;
