use super::*;

fn proxies(variables: &[(&str, &str)]) -> Proxies {
    Proxies::read(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
}

/// The proxy for the default authority.
fn route(proxies: &Proxies) -> Result<Option<(&'static str, &str)>, String> {
    let url = Url::parse("https://login.microsoftonline.com/organizations/oauth2/v2.0/token").unwrap();
    match proxies.route(&url) {
        Ok(Route::Through(proxy)) => Ok(Some((proxy.variable, proxy.shown()))),
        Ok(Route::Direct | Route::Excepted) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_first_variable_with_a_value_decides() {
    for (variables, expected) in [
        (&[][..], None),
        (&[("HTTP_PROXY", "http://a:1"), ("http_proxy", "http://a:1")], None),
        (&[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:1")], Some(("HTTPS_PROXY", "http://a:1"))),
        (&[("HTTPS_PROXY", ""), ("https_proxy", "http://b:1")], Some(("https_proxy", "http://b:1"))),
        (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "http://c:1")], Some(("ALL_PROXY", "http://c:1"))),
        (&[("all_proxy", "http://d:1"), ("REQUEST_METHOD", "GET")], Some(("all_proxy", "http://d:1"))),
        (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "*.microsoftonline.com")], None),
        (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", ""), ("no_proxy", "microsoftonline.com")], None),
        (&[("HTTPS_PROXY", "socks5://a:1"), ("no_proxy", ".microsoftonline.com")], None),
        (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "contoso.com")], Some(("HTTPS_PROXY", "http://a:1"))),
    ] {
        assert_eq!(route(&proxies(variables)), Ok(expected), "{variables:?}");
    }
}

#[test]
fn a_proxy_may_have_any_form_that_curl_accepts() {
    for (value, shown) in [
        ("http://proxy.contoso.com:3128", "http://proxy.contoso.com:3128"),
        ("http://proxy.contoso.com:3128/", "http://proxy.contoso.com:3128"),
        ("HTTP://PROXY.contoso.com", "http://proxy.contoso.com"),
        ("https://proxy.contoso.com:8443", "https://proxy.contoso.com:8443"),
        ("proxy.contoso.com:3128", "http://proxy.contoso.com:3128"),
        ("proxy.contoso.com:3128/", "http://proxy.contoso.com:3128"),
        ("proxy_1", "http://proxy_1"),
        ("127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://user0:made-up@proxy:3128", "http://proxy:3128"),
        ("http://CONTOSO%5Cuser0:p%40ss@proxy:3128", "http://proxy:3128"),
        ("http://user0:p@ss@proxy:3128", "http://proxy:3128"),
        ("user0:made-up@proxy:3128", "http://proxy:3128"),
    ] {
        let proxies = proxies(&[("HTTPS_PROXY", value)]);
        assert_eq!(route(&proxies), Ok(Some(("HTTPS_PROXY", shown))), "{value}");
        assert!(proxies.connector().is_some(), "{value}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_refused_by_its_name_and_not_repeated() {
    for (value, part) in [
        ("\"http://user0:hunter2@proxy:3128\"", "quotation marks"),
        ("'http://user0:hunter2@proxy:3128'", "quotation marks"),
        ("\"http://user0:hunter2@proxy:3128", "quotation marks"),
        ("http://user0:hunter2@proxy:3128\r", "line break"),
        ("http://user0:hunter2@proxy:3128\r\n", "line break"),
        ("http://user0:hunter2\u{7}@proxy:3128", "control character"),
        ("http://CONTOSO\\user0:hunter2@proxy:3128", "backslash"),
        ("http://user0:hunter2 x@proxy:3128", "blank"),
        (" http://user0:hunter2@proxy:3128", "blank"),
        ("http://user0:hunter2é@proxy:3128", "ASCII"),
        ("http://user0:%ffhunter2@proxy:3128", "UTF-8"),
        ("http://user0:hunter2@proxy:port", "port"),
        ("http://user0:hunter2@proxy:", "port"),
        ("http://user0:hunter2@proxy:0", "port"),
        ("http://user0:hunter2@proxy:65536", "port"),
        ("http://user0:hunter2@proxy:+80", "port"),
        ("http://user0:hunter2@:3128", "host"),
        ("http://user0:hunter2@", "host"),
        ("http://user0:hunter2@::1:3128", "host"),
        ("http://user0:hunter2@[::1", "host"),
        ("http://user0:hunter2@pro%78y:3128", "host"),
        ("http://user0:hunter2@1.2.3.4.5:3128", "host"),
        ("http://user0:hunter2#@proxy:3128", "`#`"),
        ("http://user0:3128/hunter2@proxy:3128", "`/`"),
        ("http://proxy:3128/hunter2.pac", "`/`"),
        ("http://proxy:3128?hunter2", "`?`"),
        ("ftp://user0:hunter2@proxy:3128", "scheme"),
        ("hunter2:x://proxy", "scheme"),
        ("socks5://user0:hunter2@proxy:1080", "SOCKS"),
        ("SOCKS5H://user0:hunter2@proxy:1080", "SOCKS"),
        ("socks4a://user0:hunter2@proxy", "SOCKS"),
    ] {
        for name in PROXY {
            let proxies = proxies(&[(name, value)]);
            let error = route(&proxies).unwrap_err();
            assert!(error.contains(part) && error.contains(name), "{value:?}: {error}");
            assert!(!error.contains("hunter2") && !error.contains(char::is_control), "{value:?}: {error}");
            assert!(proxies.connector().is_none(), "{value:?}");
        }
    }
    let error = route(&proxies(&[("HTTPS_PROXY", "proxy"), ("no_proxy", "\"localhost\"")])).unwrap_err();
    assert!(error.contains("no_proxy") && error.contains("quotation marks"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(b"http://\xff".to_vec());
    assert!(route(&Proxies::read(|name| (name == "ALL_PROXY").then(bytes))).unwrap_err().contains("ALL_PROXY"));
}
