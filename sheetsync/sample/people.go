package sample

import "envivo/plant"

// person is a worker of the sample plant.
type person struct {
	id               plant.WorkerID
	nombre, apellido string
	roles            plant.Role
	gone             bool
}

// crew are the forty workers. Two of them have left.
func crew() []plant.Worker {
	const A, S, Y, M = plant.Armador, plant.Soldador, plant.Ayudante, plant.Metrologia
	list := []person{
		{90, "Ana María", "Bravo Cortés", A, false},
		{91, "Luis", "Sepúlveda", A, false},
		{92, "Víctor", "Muñoz Ibáñez", S, false},
		{93, "Manuel", "Rodríguez", A, false},
		{94, "Carlos", "Peña", S, false},
		{95, "Nicolás", "Araya", A, false},
		{96, "José", "Güell", Y, false},
		{97, "Patricia", "Núñez", M, false},
		{98, "Álvaro", "Ñancupil", A, false},
		{99, "Rosa", "Iturriaga", S, false},
		{100, "Héctor", "Vásquez", A, false},
		{101, "Cristián", "Godoy", S, false},
		{102, "Eduardo", "Tapia", A | S, false},
		{103, "Marcela", "Fuentes", M, false},
		{104, "Ramón", "Cáceres", A, false},
		{105, "Jaime", "Olivares", S, false},
		{106, "Sebastián", "Lagos", A, false},
		{107, "Óscar", "Henríquez", S, false},
		{108, "Iván", "Zúñiga", A, false},
		{109, "Gonzalo", "Bustos", Y, false},
		{110, "Daniela", "Espinoza", S, false},
		{111, "Felipe", "Aránguiz", A, false},
		{112, "Mauricio", "Díaz", S, false},
		{113, "Rodrigo", "Pavez", A, false},
		{114, "Camila", "Salinas", Y | A, false},
		{115, "Jorge", "Cifuentes", S, false},
		{116, "Andrés", "Leiva", A, false},
		{117, "Tomás", "Urrutia", S, false},
		{118, "Claudio", "Ríos", A | Y, false},
		{119, "Verónica", "Yáñez", plant.Despacho, false},
		{120, "Miguel Ángel", "Toro", A, false},
		{121, "Francisco", "Jara", S, false},
		{122, "René", "Quiroz", plant.Pintura, false},
		{123, "Simón", "Barría", A, false},
		{124, "Esteban", "Núñez", S | Y, false},
		{125, "Paola", "Wagner", plant.Revestimiento, false},
		{126, "Raúl", "Farías", Y, false},
		{127, "Joaquín", "Echeverría", M, false},
		{128, "Hernán", "Ordóñez", A, true},
		{129, "Bernardo", "Klein", S, true},
	}
	out := make([]plant.Worker, len(list))
	for i, p := range list {
		out[i] = plant.Worker{ID: p.id, Nombre: p.nombre, Apellido: p.apellido, Roles: p.roles, Activo: !p.gone}
	}
	return out
}
