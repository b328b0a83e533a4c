//! The boundaries of histogram buckets, for exporters that need them.

/// The boundaries of durations, in seconds: those that the OpenTelemetry conventions for generative AI advise, from 10 ms, doubled
/// up to 82 s.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// The boundaries of numbers of tokens: those that the conventions advise, from 1, multiplied by 4 up to 67 108 864.
pub const TOKEN_BUCKETS: [f64; 14] = [
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0,
    16777216.0, 67108864.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boundary_is_a_multiple_of_the_one_before() {
        assert!(DURATION_BUCKETS.windows(2).all(|pair| (pair[1] / pair[0] - 2.0).abs() < 1e-9));
        assert!(TOKEN_BUCKETS.windows(2).all(|pair| pair[1] == 4.0 * pair[0]));
    }
}
