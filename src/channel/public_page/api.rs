//! Asking a page's API.

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::{
    super::answer::{Answer, Failure, Http},
    Vendor,
};
use crate::config::secret::Secret;

/// The API of one page.
pub struct Api {
    http: Http,
    vendor: &'static Vendor,
    page: String,
    key: Secret,
    url: String,
}

impl Api {
    /// The API of the page with this id, at `url` and the vendor's root.
    pub fn new(http: Http, vendor: &'static Vendor, page: &str, key: Secret, url: &str) -> Self {
        Self { http, vendor, page: page.to_owned(), key, url: url.trim_end_matches('/').to_owned() }
    }

    /// The page's id.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// What it is asked with.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// An error unless there are a page and a key.
    pub fn usable(&self) -> Result<(), Failure> {
        if self.key.is_empty() || self.page.is_empty() {
            return Err(Failure::dead("the page's id or its API key is empty"));
        }
        Ok(())
    }

    /// Asks for one thing under the page.
    pub async fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Value, Failure> {
        self.one(&self.ask(method, path, &[], body).await?)
    }

    /// Reads one thing under the page; none if it is not there.
    pub async fn read(&self, path: &[&str]) -> Result<Option<Value>, Failure> {
        let answer = self.ask(Method::GET, path, &[], None).await?;
        if answer.status == 404 { Ok(None) } else { self.one(&answer).map(Some) }
    }

    /// Page `number` of a list, from 1.
    pub async fn list(&self, path: &[&str], number: usize) -> Result<Vec<Value>, Failure> {
        let sizes = self.vendor.sizes.iter().map(|name| (*name, self.vendor.per_page));
        let paging: Vec<_> = [("page", number)].into_iter().chain(sizes).collect();
        match judge(&self.ask(Method::GET, path, &paging, None).await?)? {
            Value::Array(items) => Ok(items),
            _ => Err(self.stranger("a list was asked for, something else came")),
        }
    }

    fn one(&self, answer: &Answer) -> Result<Value, Failure> {
        match judge(answer)? {
            Value::Object(fields) => Ok(fields.into()),
            _ => Err(self.stranger("answered, but not with what was asked for")),
        }
    }

    fn stranger(&self, what: &str) -> Failure {
        Failure::retry(format!("{what}: not {} answer", self.vendor.whose))
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        paging: &[(&str, usize)],
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let mut url = Url::parse(&self.url).map_err(|_| Failure::dead("the receiver's `url` is not an address"))?;
        url.path_segments_mut()
            .map_err(|()| Failure::dead("the receiver's `url` is not a web address"))?
            .pop_if_empty()
            .extend(self.vendor.root.iter().chain(&[self.page.as_str()]).chain(path));
        for (name, number) in paging {
            url.query_pairs_mut().append_pair(name, &number.to_string());
        }
        let request = (self.vendor.authorize)(self.http.client().request(method, url), &self.key);
        let request = if let Some(body) = &body { request.json(body) } else { request };
        self.http.send(request).await
    }
}

fn judge(answer: &Answer) -> Result<Value, Failure> {
    if matches!(answer.status, 200 | 201) { Ok(answer.json()) } else { Err(answer.failure()) }
}
