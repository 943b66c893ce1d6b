locals {
  monitoring = "${path.module}/../monitoring"
  alerts     = { for file in fileset(local.monitoring, "alert-*.json") : file => jsondecode(file("${local.monitoring}/${file}")) }
}

resource "google_monitoring_dashboard" "holdfast" {
  dashboard_json = file("${local.monitoring}/dashboard.json")
}

resource "google_monitoring_alert_policy" "holdfast" {
  for_each = local.alerts

  display_name          = each.value.displayName
  combiner              = each.value.combiner
  severity              = each.value.severity
  notification_channels = var.notification_channels

  conditions {
    display_name = each.value.conditions[0].displayName

    condition_prometheus_query_language {
      query               = each.value.conditions[0].conditionPrometheusQueryLanguage.query
      duration            = each.value.conditions[0].conditionPrometheusQueryLanguage.duration
      evaluation_interval = each.value.conditions[0].conditionPrometheusQueryLanguage.evaluationInterval
    }
  }

  documentation {
    content   = each.value.documentation.content
    mime_type = each.value.documentation.mimeType
  }

  alert_strategy {
    auto_close = each.value.alertStrategy.autoClose
  }
}
