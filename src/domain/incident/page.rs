//! An incident hears of its public status page.

use super::{Around, Incident, telling::Voice};
use crate::domain::page_news::PageNews;

impl Incident {
    pub(super) fn page_news(&mut self, news: PageNews, around: &Around<'_>, voice: &mut Voice<'_>) {
        let Some(mut clock) = self.status.take() else { return };
        let owners = around.status.map_or(&[][..], |rule| &rule.remind);
        let mut said = Vec::new();
        clock.hear(news, self, owners, around, &mut said);
        self.status = Some(clock);
        // The way to the end of what is over is never muted.
        if self.resolved.is_some() {
            voice.said.extend(said);
        } else {
            for say in said {
                voice.say(say);
            }
        }
    }
}
