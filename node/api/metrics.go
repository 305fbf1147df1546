package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the node counts, in a registry of their own. What others count already
// is read when it is asked for.
type metrics struct {
	server   *Server
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

var (
	height      = prometheus.NewDesc("ward_height", "Newest block.", nil, nil)
	lag         = prometheus.NewDesc("ward_block_time_lag_seconds", "The node's clock minus the newest block's time.", nil, nil)
	txs         = prometheus.NewDesc("ward_transactions_total", "Transactions committed since start, by receipt code.", []string{"code"}, nil)
	events      = prometheus.NewDesc("ward_events_total", "Events committed since start.", nil, nil)
	mempool     = prometheus.NewDesc("ward_mempool_transactions", "Transactions that wait for a block.", nil, nil)
	subscribers = prometheus.NewDesc("ward_subscribers", "Event streams open now.", nil, nil)
	frames      = prometheus.NewDesc("ward_stream_frames_total", "Frames sent to subscribers.", nil, nil)
	closed      = prometheus.NewDesc("ward_stream_closed_total", "Event streams ended, by reason.", []string{"why"}, nil)
)

func newMetrics(s *Server) *metrics {
	m := &metrics{
		server:   s,
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ward_http_requests_total", Help: "HTTP requests, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ward_http_request_seconds", Help: "Time to answer an HTTP request, without streams.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
	}
	m.registry.MustRegister(m, m.requests, m.seconds,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe counts an answered request. Routes are patterns, so there are few.
func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if route != streamPath {
		m.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// Describe and Collect make metrics a prometheus.Collector of what is read when asked.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{height, lag, txs, events, mempool, subscribers, frames, closed} {
		to <- d
	}
}

// Collect is called by the registry for each scrape.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	s := m.server
	if h, err := s.newest(); err == nil { // otherwise the two are missing, which alarms watch for
		gauge(height, float64(h.Height))
		gauge(lag, s.lag(h).Seconds())
	}
	tally := s.config.Log.Tally()
	for code, n := range tally.Txs {
		count(txs, n, code.Name())
	}
	count(events, tally.Events)
	gauge(mempool, float64(s.config.Engine.Condition().Waiting))
	st := s.stream.Stats()
	gauge(subscribers, float64(st.Subscribers))
	count(frames, st.Frames)
	for why, n := range st.Closed {
		count(closed, n, why)
	}
}
