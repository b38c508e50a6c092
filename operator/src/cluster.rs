//! The controller of DiskClusters.

use std::sync::Arc;

use crate::context::Context;
use crate::controller::Controllers;

/// Adds the controller.
pub fn register(_context: &Arc<Context>, _controllers: &mut Controllers) {}
