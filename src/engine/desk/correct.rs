//! Budget corrections: what makes sense of one, and its way to the decider.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::oneshot;

use super::LiveDesk;
use crate::{
    config::model::Slo,
    domain::{
        correction::Correction,
        decide::{Rejected, SeriesKey},
        name::Series,
    },
    engine::mailbox::Order,
    views::{
        desk::{Correcting, DeskError},
        report::CorrectionView,
    },
};

/// The largest number of events that is believed.
const EVENTS_MAX: f64 = 1e12;
/// Most characters of a reason.
const REASON_MAX: usize = 1_000;

impl LiveDesk {
    pub(super) async fn corrected(&self, wanted: Correcting) -> Result<CorrectionView, DeskError> {
        let now = self.clock.now();
        let config = self.slo_of(&wanted.slo)?;
        let Some(slo) = config.slos.get(&wanted.slo) else {
            return Err(DeskError::Unavailable("the configuration is being changed".to_owned()));
        };
        series(slo, &wanted.series)?;
        let kept = TimeDelta::from_std(config.daemon.retention).unwrap_or(TimeDelta::MAX);
        time(wanted.at, now, kept)?;
        counts(wanted.bad, wanted.total)?;
        let reason = wanted.reason.trim().to_owned();
        if reason.is_empty() {
            return Err(DeskError::Invalid("a correction needs a `reason`".to_owned()));
        }
        if reason.chars().count() > REASON_MAX {
            return Err(DeskError::Invalid(format!("`reason` is longer than {REASON_MAX} characters")));
        }
        let Correcting { slo, series, at, bad, total, by, .. } = wanted;
        let correction = Correction { at, bad, total, reason, by, made_at: now };
        let key = SeriesKey { id: slo, series };
        let (reply, answer) = oneshot::channel();
        let gone = || DeskError::Unavailable("the daemon is stopping".to_owned());
        let order = Order::Correct { key: key.clone(), correction: correction.clone(), reply };
        self.orders.send(order).await.map_err(|_| gone())?;
        match answer.await.map_err(|_| gone())? {
            Ok(()) => Ok(CorrectionView::new(&key.series, &correction)),
            Err(Rejected::NoSeries(_)) => Err(DeskError::NotFound(
                format!("`{}` has no such series", key.id),
                "`slod status` lists the series there are".to_owned(),
            )),
            Err(Rejected::TooMuch(why)) => Err(DeskError::Invalid(why.to_string())),
            Err(refused) => Err(DeskError::Conflict(refused.to_string())),
        }
    }
}

/// An SLO with `per` needs all of its labels, any other none.
fn series(slo: &Slo, given: &Series) -> Result<(), DeskError> {
    let (id, per) = (&slo.spec.id, &slo.per);
    if per.iter().all(|label| given.contains_key(label)) && given.len() == per.len() {
        return Ok(());
    }
    Err(DeskError::Invalid(if per.is_empty() {
        format!("`{id}` is one whole: leave out `series`")
    } else {
        format!("`{id}` has one series for each {}: name it with `series`", per.join(", "))
    }))
}

fn time(at: DateTime<Utc>, now: DateTime<Utc>, kept: TimeDelta) -> Result<(), DeskError> {
    if at > now {
        return Err(DeskError::Invalid(format!("`at` ({}) lies in the future", at.to_rfc3339())));
    }
    if now.checked_sub_signed(kept).is_some_and(|first| at < first) {
        let days = kept.num_days();
        return Err(DeskError::Invalid(format!(
            "`at` ({}) is over {days} days ago: nothing of then is kept",
            at.to_rfc3339()
        )));
    }
    Ok(())
}

/// Events are added or taken away; the bad ones are among them.
fn counts(bad: f64, total: f64) -> Result<(), DeskError> {
    let wrong = if !bad.is_finite() || !total.is_finite() {
        "`bad` and `total` must be numbers".to_owned()
    } else if bad.abs() > EVENTS_MAX || total.abs() > EVENTS_MAX {
        format!("`bad` and `total` must lie between -{EVENTS_MAX} and {EVENTS_MAX}")
    } else if bad == 0.0 && total == 0.0 {
        "nothing is corrected: `bad` and `total` are 0".to_owned()
    } else if total < bad && total >= 0.0 {
        format!("`total` ({total}) is less than `bad` ({bad}): the bad events are among all events")
    } else if total < 0.0 && bad > 0.0 {
        "bad events cannot be added while events are taken away: make two corrections".to_owned()
    } else if total < 0.0 && bad < total {
        format!("more bad events ({bad}) are taken away than events ({total}): the bad events are among all events")
    } else {
        return Ok(());
    };
    Err(DeskError::Invalid(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_sense() {
        #[rustfmt::skip]
        let cases = [
            (5.0, 10.0, ""), (0.0, 10.0, ""), (10.0, 10.0, ""), (-5.0, 0.0, ""), (-5.0, -5.0, ""), (0.0, -10.0, ""), (-5.0, 5.0, ""), (0.5, 1.5, ""),
            (10.0, 5.0, "less than `bad`"), (5.0, 0.0, "less than `bad`"), (0.0, 0.0, "nothing"), (5.0, -5.0, "two corrections"),
            (-10.0, -5.0, "more bad events"), (f64::NAN, 1.0, "numbers"), (1.0, f64::INFINITY, "numbers"), (0.0, 1e13, "between"), (-1e13, 0.0, "between"),
        ];
        for (bad, total, said) in cases {
            let got = counts(bad, total);
            let fine = if said.is_empty() {
                got.is_ok()
            } else {
                got.as_ref().is_err_and(|why| why.to_string().contains(said))
            };
            assert!(fine, "{bad} of {total}: {got:?}");
        }
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let day = TimeDelta::days;
        for (at, fine) in
            [(now, true), (now + TimeDelta::seconds(1), false), (now - day(400), true), (now - day(401), false)]
        {
            assert_eq!(time(at, now, day(400)).is_ok(), fine, "{at}");
        }
        assert!(time(DateTime::<Utc>::MIN_UTC, now, TimeDelta::MAX).is_ok());
    }
}
