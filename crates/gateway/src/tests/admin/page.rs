//! The page's files.

use super::Watched;

#[tokio::test]
async fn the_page_is_part_of_the_binary_and_loads_nothing_from_elsewhere() {
    let watched = Watched::new().await;
    for (path, kind) in
        [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]
    {
        let response = watched.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert_eq!(
            (header("cache-control"), header("x-content-type-options")),
            ("no-store", "nosniff")
        );
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
