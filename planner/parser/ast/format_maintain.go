package ast

// maintenance prints statements that look at tables or after them; false when s is something else.
func (p *printer) maintenance(s Statement) bool {
	switch s := s.(type) {
	case *Show:
		p.show(s)
	case *Describe:
		p.describe(s)
	case *Use:
		p.text("USE ")
		p.name(s.Name.Parts)
	case *Explain:
		p.explain(s)
	case *Analyze:
		p.text("ANALYZE")
		p.flag(s.Verbose, " VERBOSE")
		p.analyzeTargets(s.Tables)
		p.partition(s.Partition)
		p.withProperties(" WITH ", s.Options)
	case *Vacuum:
		p.vacuum(s)
	case *SyncTable:
		p.text(map[bool]string{false: "SYNC TABLE", true: "INVALIDATE METADATA"}[s.MetadataOnly])
		if s.Table != nil {
			p.text(" ")
			p.name(s.Table.Parts)
		}
		p.partition(s.Partition)
	case *Optimize:
		p.text("OPTIMIZE TABLE ")
		p.name(s.Table.Parts)
		p.partition(s.Partition)
		p.where(s.Where)
		p.withProperties(" WITH ", s.Properties)
	case *RollbackTable:
		p.text("ROLLBACK TABLE ")
		p.name(s.Table.Parts)
		p.text(map[bool]string{false: " TO VERSION ", true: " TO TIMESTAMP "}[s.To.Timestamp])
		p.expr(s.To.Value)
	case *LockTable:
		p.text("LOCK TABLE ")
		p.nameList(s.Tables)
		p.optional(" IN ", s.Mode, func(mode string) string { return upper(mode) + " MODE" })
	case *Checkpoint:
		p.text("CHECKPOINT")
	case *Call:
		p.text("CALL ")
		p.name(s.Name.Parts)
		p.text("(")
		p.exprs(s.Args)
		p.text(")")
	case *LoadData:
		p.text("LOAD DATA INPATH ", QuoteString(s.Path))
		p.flag(s.Overwrite, " OVERWRITE")
		p.text(" INTO TABLE ")
		p.name(s.Table.Parts)
		p.partition(s.Partition)
	case *Kill:
		p.text("KILL QUERY ", QuoteString(s.Query))
	default:
		return false
	}
	return true
}

func (p *printer) analyzeTargets(list []AnalyzeTarget) {
	if len(list) == 0 {
		return
	}
	p.text(" ")
	p.list(len(list), func(i int) {
		p.name(list[i].Name.Parts)
		if len(list[i].Columns) > 0 {
			p.text(" (")
			p.identifiers(list[i].Columns)
			p.text(")")
		}
	})
}

func (p *printer) vacuum(s *Vacuum) {
	p.text("VACUUM")
	if len(s.Options) > 0 {
		p.text(" ")
		p.options(s.Options)
	} else {
		p.flag(s.Full, " FULL")
		p.flag(s.Freeze, " FREEZE")
		p.flag(s.Verbose, " VERBOSE")
		p.flag(s.Analyze, " ANALYZE")
	}
	p.analyzeTargets(s.Tables)
}

func (p *printer) explain(s *Explain) {
	p.text("EXPLAIN ")
	if len(s.Options) > 0 {
		p.options(s.Options)
		p.text(" ")
	} else {
		p.flag(s.Analyze, "ANALYZE ")
		p.flag(s.Verbose, "VERBOSE ")
	}
	p.statement(s.Statement)
}

func (p *printer) describe(s *Describe) {
	p.text("DESCRIBE ")
	switch {
	case s.Input != "":
		p.text("INPUT ", QuoteName(s.Input))
	case s.Output != "":
		p.text("OUTPUT ", QuoteName(s.Output))
	case s.Query != nil:
		p.query(s.Query)
	default:
		p.flag(s.Formatted, "FORMATTED ")
		p.name(s.Table.Parts)
	}
}

func (p *printer) show(s *Show) {
	p.text("SHOW ")
	if s.Kind == ShowSetting {
		if s.Setting == "all" {
			p.text("ALL")
		} else {
			p.dotted(s.Setting)
		}
		return
	}
	p.text([...]string{ShowTables: "TABLES", ShowViews: "VIEWS", ShowSchemas: "SCHEMAS", ShowCatalogs: "CATALOGS",
		ShowColumns: "COLUMNS", ShowPartitions: "PARTITIONS", ShowCreateTable: "CREATE TABLE",
		ShowCreateView: "CREATE VIEW", ShowCreateSchema: "CREATE SCHEMA", ShowStats: "STATS FOR",
		ShowColumnStats: "COLUMN STATS", ShowFunctions: "FUNCTIONS", ShowSession: "SESSION",
		ShowResourceGroups: "RESOURCE GROUPS", ShowFiles: "FILES", ShowQueries: "QUERIES", ShowNodes: "NODES",
		ShowVersions: "VERSIONS", ShowGrants: "GRANTS", ShowRoles: "ROLES", ShowProperties: "PROPERTIES"}[s.Kind])
	if s.Target != nil {
		switch s.Kind {
		case ShowCreateTable, ShowCreateView, ShowCreateSchema, ShowStats, ShowColumnStats:
			p.text(" ")
		case ShowGrants:
			p.text(" ON ")
		default:
			p.text(" FROM ")
		}
		p.name(s.Target.Parts)
	}
	if s.Query != nil {
		p.text(" ")
		p.bracketed(s.Query)
	}
	p.partition(s.Partition)
	if s.Like != nil {
		p.text(" LIKE ", QuoteString(*s.Like))
		p.optional(" ESCAPE ", s.Escape, QuoteString)
	}
	p.where(s.Where)
	if len(s.OrderBy) > 0 {
		p.text(" ORDER BY ")
		p.sortItems(s.OrderBy)
	}
	if s.Limit != nil {
		p.text(" LIMIT ")
		p.operand(s.Limit)
	}
}
