//! An incident hears of its public status page.

use super::{Around, Incident, telling::Voice};
use crate::domain::page_news::PageNews;

impl Incident {
    pub(super) fn page_news(&mut self, news: PageNews, around: &Around<'_>, voice: &mut Voice<'_>) {
        let Some(mut clock) = self.status.take() else { return };
        let owners = around.status.map_or(&[][..], |rule| &rule.remind);
        clock.hear(news, self, owners, around, &mut voice.said);
        self.status = Some(clock);
    }
}
