// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";

/// @title The storage words that state proofs carry, bit by bit
contract StorageTest is RegistryTest {
    function test_storage_issuer() public {
        Slots.setWithdrawnAt(address(registry), ISSUER, START + 99);
        Slots.setStatusEpoch(address(registry), ISSUER, 3);
        uint256 slot = Slots.issuer(ISSUER);
        uint256 expected =
            uint256(uint160(controller)) | (uint256(START) << 160) | (uint256(START + 99) << 200) | (uint256(3) << 240);
        vm.assertEq(_read(slot), expected);
        vm.assertEq(_read(slot + 1), uint256(keccak256(bytes(DID))));
        vm.assertEq(_read(slot + 2), uint256(_headOf(ISSUER)));
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 99);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 3);
    }

    function test_storage_registry() public view {
        vm.assertEq(_read(Slots.REGISTRY_HEAD), uint256(registry.registryHead()));
        vm.assertEq(_read(Slots.ISSUER_COUNT), 2);
        bytes32 slot = keccak256(abi.encode(keccak256(bytes(OTHER_DID)), Slots.ISSUER_OF_DID));
        vm.assertEq(_read(uint256(slot)), OTHER_ISSUER);
    }

    function test_storage_key() public {
        Consent memory consent = _consent(OTHER_ISSUER, newKey, SCOPE_STATUS, 1);
        consent.validFrom = START + 11;
        _addKey(otherController, consent, NEW_PK);
        Slots.setValidUntil(address(registry), newKey, START + 22);
        Slots.setCompromisedAt(address(registry), newKey, START + 33);
        uint256 expected = uint256(OTHER_ISSUER) | (uint256(START + 11) << 32) | (uint256(START + 22) << 72)
            | (uint256(START + 33) << 112) | (uint256(SCOPE_STATUS) << 152) | (uint256(1) << 160);
        vm.assertEq(_read(Slots.key(newKey)), expected);
        vm.assertEq(registry.keyOf(newKey).validUntil, START + 22);
        vm.assertEq(registry.keyOf(newKey).compromisedAt, START + 33);
    }

    function test_storage_batch() public {
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        uint256 expected = uint256(uint160(anchorKey)) | (uint256(START) << 160) | (uint256(1000) << 200);
        vm.assertEq(_read(Slots.batch(ISSUER, ROOT)), expected);
        uint256 revoked = expected | (uint256(2) << 232) | (uint256(7) << 240);
        vm.store(address(registry), bytes32(Slots.batch(ISSUER, ROOT)), bytes32(revoked));
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, 2);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, 7);
    }

    function test_storage_statusWords() public {
        vm.prank(otherStatusKey);
        registry.revoke(OTHER_ISSUER, 5, _words(369), _masks(1 << 103), 1);
        vm.prank(otherStatusKey);
        registry.suspend(OTHER_ISSUER, 5, _words(369), _masks(6), 1);
        vm.assertEq(_read(Slots.word(Slots.REVOKED, OTHER_ISSUER, 0, 5, 369)), 1 << 103);
        vm.assertEq(_read(Slots.word(Slots.SUSPENDED, OTHER_ISSUER, 0, 5, 369)), 6);
    }

    function _read(uint256 slot) private view returns (uint256) {
        return Slots.read(address(registry), slot);
    }
}
