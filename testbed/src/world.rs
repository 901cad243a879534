//! Everything around one slod: the service it watches, the sources it asks, the inbox it tells, and the shipped
//! configuration with its times scaled down, pointed at them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::{
    action_queue::ActionQueue, daemon::Slod, inbox::Inbox, link::Link, ports::free_port, postgres::Postgres,
    prometheus::Prometheus, scaled::Scaled, service::InventoryService,
};

/// PagerDuty's integration keys: 32 characters each.
pub const OPS_KEY: &str = "00000000000000000000000000000ops";
/// The platform team's.
pub const PLATFORM_KEY: &str = "000000000000000000000000platform";
/// The last step's.
pub const CTO_KEY: &str = "00000000000000000000000000000cto";

const SCRAPE_INTERVAL: Duration = Duration::from_millis(250);

/// The folder with the shipped `slo.yaml` and `alerts/`.
pub fn shipped() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A made-up world with real servers. Ends when it is dropped.
#[derive(Debug)]
pub struct World {
    /// What is watched.
    pub service: InventoryService,
    /// Scrapes the service and slod. None in a small world.
    pub prometheus: Option<Prometheus>,
    /// Between slod and Prometheus, if it is to be cut.
    pub link: Option<Link>,
    /// Holds the queue of actions. None in a small world.
    pub postgres: Option<Postgres>,
    /// The queue. None in a small world.
    pub queue: Option<ActionQueue>,
    /// Who is told.
    pub inbox: Inbox,
    /// To be changed before slod is started, or before it is told to reload.
    pub config: Scaled,
    listen: SocketAddr,
    folder: TempDir,
}

impl World {
    /// Starts everything, with the shipped configuration.
    pub async fn start() -> anyhow::Result<Self> {
        let mut world = Self::without_sources().await?;
        let targets = [world.service.address(), world.listen];
        let (prometheus, postgres) = tokio::try_join!(Prometheus::start(&targets, SCRAPE_INTERVAL), Postgres::start())?;
        world.queue = Some(ActionQueue::create(&postgres.url()).await?);
        (world.prometheus, world.postgres) = (Some(prometheus), Some(postgres));
        Ok(world)
    }

    /// Neither Prometheus nor Postgres, and only the SLO that is probed.
    pub async fn small() -> anyhow::Result<Self> {
        let mut world = Self::without_sources().await?;
        world.config.keep_slos("inventory", &["dashboard-availability"]);
        for needless in ["/sources", "/services/inventory/gauges", "/services/inventory/runbook/diagnostics"] {
            world.config.remove(needless);
        }
        Ok(world)
    }

    /// Puts a link that can be cut between slod and Prometheus.
    pub async fn link_prometheus(&mut self) -> anyhow::Result<()> {
        let prometheus = self.prometheus.as_ref().context("there is no Prometheus in this world")?;
        self.link = Some(Link::to(prometheus.address()).await?);
        Ok(())
    }

    async fn without_sources() -> anyhow::Result<Self> {
        // A second installation is refused, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = TempDir::with_prefix("slod-world-")?;
        let inbox = Inbox::start().await;
        let mut config = Scaled::read(shipped())?;
        config.remove("/daemon/listen");
        config.remove("/daemon/external_url");
        config.replace_addresses(&inbox.url("/pagerduty"), &inbox.url("/slack"), &inbox.url("/statuspage"));
        let service = InventoryService::start().await?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Self { service, prometheus: None, link: None, postgres: None, queue: None, inbox, config, listen, folder })
    }

    /// Where slod's configuration, store, socket and log are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What slod finds in its environment.
    pub fn env(&self) -> BTreeMap<String, String> {
        let link = self.link.as_ref().map(|link| format!("http://{}", link.address()));
        let prometheus = link.or_else(|| self.prometheus.as_ref().map(Prometheus::url)).unwrap_or_default();
        let postgres = self.postgres.as_ref().map(Postgres::url).unwrap_or_default();
        let variables = [
            ("SLOD_LISTEN", self.listen.to_string()),
            ("PROMETHEUS_URL", prometheus),
            ("INVENTORY_DATABASE_URL", postgres),
            ("INVENTORY_HEALTH_URL", format!("{}/inventory/health", self.service.url())),
            ("SHOPIFY_STATUS_URL", self.inbox.url("/shopify")),
            ("SUPABASE_URL", self.inbox.url("/supabase")),
            ("SUPABASE_KEY", "supabase-SECRET".to_owned()),
            ("PAGERDUTY_OPS_KEY", OPS_KEY.to_owned()),
            ("PAGERDUTY_PLATFORM_KEY", PLATFORM_KEY.to_owned()),
            ("PAGERDUTY_CTO_KEY", CTO_KEY.to_owned()),
            ("SLACK_BOT_TOKEN", "xoxb-SECRET".to_owned()),
            ("SLACK_ENG_WEBHOOK", self.inbox.url("/slack/services/T000/B000/SECRET")),
            ("STATUSPAGE_PAGE", "p4ge".to_owned()),
            ("STATUSPAGE_KEY", "page-SECRET".to_owned()),
            ("STATUSPAGE_COMPONENT", "component-1".to_owned()),
            ("SMTP_URL", self.inbox.smtp_url()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Writes the configuration as it is now to where slod reads it.
    pub fn write_config(&self) -> anyhow::Result<()> {
        let env = self.env();
        let unknown: Vec<_> = self.config.variables().into_iter().filter(|(name, _)| !env.contains_key(name)).collect();
        if let Some((name, _)) = unknown.iter().find(|(_, has_default)| !has_default) {
            bail!("the configuration reads {name}, of which this world knows nothing");
        }
        self.config.write(self.folder()).map(drop)
    }

    /// Writes the configuration, starts slod and waits until it is ready.
    pub async fn slod(&self, program: &str) -> anyhow::Result<Slod> {
        self.write_config()?;
        Slod::start(Path::new(program), self.folder(), &self.env()).await
    }
}
