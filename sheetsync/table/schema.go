package table

// Columns of Operaciones (rules §2.2).
const (
	colTag            = "TAG_SPOOL"
	colSplit          = "SPLIT"
	colNV             = "NV"
	colOT             = "OT"
	colMateriales     = "Fecha_Materiales"
	colFechaArmado    = "Fecha_Armado"
	colArmador        = "Armador"
	colFechaSoldadura = "Fecha_Soldadura"
	colSoldador       = "Soldador"
	colFechaQC        = "Fecha_QC_Metrología"
	colOcupado        = "Ocupado_Por"
	colFechaOcupacion = "Fecha_Ocupacion"
	colVersion        = "version"
	colEstado         = "Estado_Detalle"
	colTotalUniones   = "Total_Uniones"
	colUnionesARM     = "Uniones_ARM_Completadas"
	colUnionesSOLD    = "Uniones_SOLD_Completadas"
	colPulgadasARM    = "Pulgadas_ARM"
	colPulgadasSOLD   = "Pulgadas_SOLD"
	colNotas          = "Notas"
	colID             = "ID"
	colNUnion         = "N_UNION"
	colDN             = "DN_UNION"
	colTipo           = "TIPO_UNION"
	colArmInicio      = "ARM_FECHA_INICIO"
	colArmFin         = "ARM_FECHA_FIN"
	colArmWorker      = "ARM_WORKER"
	colSolInicio      = "SOL_FECHA_INICIO"
	colSolFin         = "SOL_FECHA_FIN"
	colSolWorker      = "SOL_WORKER"
	colNDT            = "NDT_UNION"
	colNDTResult      = "R_NDT_UNION"
	colNDTDate        = "NDT_FECHA"
	colNDTStatus      = "NDT_STATUS"
	colWorkerID       = "Id"
	colNombre         = "Nombre"
	colApellido       = "Apellido"
	colActivo         = "Activo"
	colRol            = "Rol"
	colTimestamp      = "Timestamp"
	colEventoTipo     = "Evento_Tipo"
	colMetaWorkerID   = "Worker_ID"
	colMetaWorker     = "Worker_Nombre"
	colOperacion      = "Operacion"
	colAccion         = "Accion"
	colFechaOperacion = "Fecha_Operacion"
	colJSON           = "Metadata_JSON"
)

// Columns lists the columns of a worksheet that the system knows, in the order
// in which an export writes them. Column order means nothing on reading.
func Columns(sheet string) []string {
	switch sheet {
	case Operaciones:
		return []string{colTag, colSplit, colNV, colOT, colMateriales, colFechaArmado, colArmador, colFechaSoldadura, colSoldador, colFechaQC,
			colOcupado, colFechaOcupacion, colVersion, colEstado, colTotalUniones, colUnionesARM, colUnionesSOLD, colPulgadasARM, colPulgadasSOLD, colNotas}
	case Trabajadores:
		return []string{colWorkerID, colNombre, colApellido, colActivo}
	case Roles:
		return []string{colWorkerID, colRol, colActivo}
	case Uniones:
		return []string{colID, colOT, colNUnion, colTag, colDN, colTipo, colArmInicio, colArmFin, colArmWorker, colSolInicio, colSolFin, colSolWorker,
			colNDT, colNDTResult, colNDTDate, colNDTStatus, colVersion}
	case Metadata:
		return []string{colID, colTimestamp, colEventoTipo, colTag, colMetaWorkerID, colMetaWorker, colOperacion, colAccion, colFechaOperacion, colJSON, colNUnion}
	}
	return nil
}

// Critical lists the columns without which a worksheet must not be used (rules
// §2.7). SPLIT and OT are optional as long as no unions are used, so that a
// sheet from before the unions still works.
func Critical(sheet string, unions bool) []string {
	switch sheet {
	case Operaciones:
		c := []string{colTag, colNV, colMateriales, colFechaArmado, colArmador, colFechaSoldadura, colSoldador, colFechaQC, colOcupado, colFechaOcupacion, colEstado}
		if unions {
			c = append(c, colSplit, colOT)
		}
		return c
	case Metadata:
		return Columns(Metadata)[:10]
	}
	return Columns(sheet)
}

// needed are the columns an import cannot do without. It is less than what the
// Sheet must have, because an import writes nothing back: unions need no OT,
// since they attach by tag and number, and no ID; SPLIT is not used at all.
func needed(sheet string) []string {
	switch sheet {
	case Operaciones, Metadata:
		return Critical(sheet, false)
	case Uniones:
		return []string{colTag, colNUnion, colDN, colTipo, colArmInicio, colArmFin, colArmWorker, colSolInicio, colSolFin, colSolWorker}
	}
	return Columns(sheet)
}
